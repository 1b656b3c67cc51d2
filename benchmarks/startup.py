"""How long it takes to find out that nothing has changed, and to start each stage script. Prints a markdown table.

Run in a project whose pipeline is up to date: `python benchmarks/startup.py`. The commands take turns.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REPRO = ["-m", "dvc", "repro", "--all-pipelines"]


def seconds(arguments: list[str]) -> float:
    """Wall time of one run of Python. The script ends if that fails, or if it is a `dvc repro` with something to do."""
    begin = time.perf_counter()
    result = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True)
    taken = time.perf_counter() - begin
    if result.returncode:
        sys.exit(f"python {' '.join(arguments)}: failed: {result.stderr.strip()}")
    if "Running stage" in result.stdout:
        sys.exit("the pipeline is not up to date, so its `dvc repro` cannot be measured: run `make repro` first")
    return taken


def imported(stage: Path) -> str:
    """Import what the stage's `main` imports, as a program: the cost of starting it before any work is done."""
    lines = stage.read_text(encoding="utf-8").splitlines()
    return "\n".join(line.strip() for line in lines if line.strip().startswith(("from nnlab", "import ")))


def commands() -> dict[str, list[str]]:
    """Arguments to Python by what is measured."""
    stages = sorted((ROOT / "stages").glob("*.py"))
    return {
        "`python -c pass`": ["-c", "pass"],
        "`import torch`": ["-c", "import torch"],
        "`dvc repro`, nothing changed": REPRO,
        **{f"start of `{stage.stem}`": ["-c", imported(stage)] for stage in stages},
    }


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    seconds([*REPRO, "--dry"])
    times: dict[str, list[float]] = {name: [] for name in commands()}
    for number in range(rounds + 1):
        print(f"round {number} of {rounds}", file=sys.stderr, flush=True)
        for name, arguments in commands().items():
            taken = seconds(arguments)
            if number:  # the first round warms the disk cache
                times[name].append(taken)
    print(f"| what | seconds (median of {rounds}) | ratio to `python -c pass` |\n|---|---|---|")
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, value in medians.items():
        print(f"| {name} | {value:.2f} | {value / next(iter(medians.values())):.0f} |")


if __name__ == "__main__":
    main()
