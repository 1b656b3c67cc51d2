"""What the scripts of this folder share: times in turns, the machine's own rate, tables."""

import sys
import time
from collections.abc import Callable, Iterable, Sequence

import torch
from run import machine


def setting(*dtypes: torch.dtype) -> str:
    """The machine, with its instructions for bfloat16, and what is computed with, as a line above a table."""
    gpu = [torch.cuda.get_device_name()] if torch.cuda.is_available() else []
    names = " and ".join(name(dtype) for dtype in dict.fromkeys(dtypes))
    return ", ".join([machine(), *gpu, f"{torch.get_num_threads()} threads", names, f"torch {torch.__version__}"])


def name(dtype: torch.dtype) -> str:
    """torch.float32 -> float32."""
    return str(dtype).removeprefix("torch.")


def in_turns(jobs: dict[str, Callable[[], object]], rounds: int, repeats: int = 1) -> dict[str, list[float]]:
    """Seconds per run of each job, one value a round, each the mean of `repeats` runs; a first round does not count."""
    times: dict[str, list[float]] = {job: [] for job in jobs}
    for number in range(rounds + 1):
        print(f"round {number} of {rounds}", file=sys.stderr, flush=True)
        for job, run in jobs.items():
            taken = seconds(run, repeats)
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
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def matrix_rate(dtype: torch.dtype, device: torch.device, side: int = 2048) -> float:
    """Measured operations per second of a large matrix product."""
    a = torch.randn(side, side, device=device).to(dtype)
    return 2 * side**3 / min(seconds(lambda: a @ a, 3) for _ in range(5))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
