"""What the scripts of this folder share: arguments, times in turns, processes with their memory, rows of the table."""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import torch
from run import COLUMNS, ROOT, table

from nnlab.training.device import pick_device, pick_precision

# A small process between: Linux counts the memory of whom a process was started by as its own.
WATCH = """import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)"""


def arguments(about: str | None) -> argparse.ArgumentParser:
    """A parser whose help is a script's first lines."""
    return argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)


def here() -> tuple[torch.device, torch.dtype]:
    """Device and precision that params.yaml's "auto" takes on this machine."""
    device = pick_device("auto")
    return device, pick_precision("auto", device)


def in_turns(jobs: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each job, one value a round; a first round does not count."""
    times: dict[str, list[float]] = {job: [] for job in jobs}
    for number in range(rounds + 1):
        print(f"round {number} of {rounds}", file=sys.stderr, flush=True)
        for job, run in jobs.items():
            taken = seconds(run)
            if number:
                times[job].append(taken)
    return times


def seconds(run: Callable[[], object], repeats: int = 1) -> float:
    """Mean seconds of `repeats` runs, waiting for the GPU where there is one."""
    wait()
    begin = time.perf_counter()
    for _ in range(repeats):
        run()
    wait()
    return (time.perf_counter() - begin) / repeats


def wait() -> None:
    """Until the GPU has done what it was told."""
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()


def process(command: Sequence[str | Path]) -> tuple[str, float, float]:
    """Output, wall seconds and peak memory (MiB, libraries included) of a command, run in the project's folder."""
    begin = time.perf_counter()
    result = subprocess.run([sys.executable, "-c", WATCH, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if result.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed with exit code {result.returncode}")
    said, _, peak = result.stdout.rstrip().rpartition("\n")
    return said, time.perf_counter() - begin, int(peak) / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def row(
    what: str, ours: Sequence[float], peer: Sequence[float] = (), who: str = "", precision: str | torch.dtype = ""
) -> list[str]:
    """A row of the table from the values of all runs of both sides."""
    sides = [found for found in (ours, peer) if len(found)]
    shown = [f"{median(found):.4g}" for found in sides]
    other = f"{shown[1]} ({who})" if len(peer) else ""
    ratio = f"{median(peer) / median(ours):.2f}" if len(peer) and median(ours) else ""
    spread = "; ".join(f"{min(found):.4g} to {max(found):.4g}" for found in sides if len(found) > 1)
    return [what, shown[0], other, ratio, spread, str(precision).removeprefix("torch.")]


def show(rows: list[list[str]]) -> None:
    """Print the table."""
    print(table(COLUMNS, rows))
