"""How long it takes to find out that nothing has changed, and to start each stage script. Prints a markdown table.

Run in a project whose pipeline is up to date: `python benchmarks/startup.py`.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 5


def seconds(command: list[str]) -> float:
    """Median wall time of a command over `ROUNDS` runs, after one run that warms the disk cache."""
    times = []
    for _ in range(ROUNDS + 1):
        begin = time.perf_counter()
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times.append(time.perf_counter() - begin)
    return statistics.median(times[1:])


def imported(stage: Path) -> str:
    """Import what the stage's `main` imports, as a program: the cost of starting it before any work is done."""
    lines = stage.read_text(encoding="utf-8").splitlines()
    return "\n".join(line.strip() for line in lines if line.strip().startswith(("from nnlab", "import ")))


def main() -> None:
    """Measure and print."""
    python = sys.executable
    print("| what | seconds (median of 5) | ratio to `python -c pass` |\n|---|---|---|")
    empty = seconds([python, "-c", "pass"])
    torch = seconds([python, "-c", "import torch"])
    rows = {"`python -c pass`": empty, "`import torch`": torch}
    rows["`dvc repro`, nothing changed"] = seconds([python, "-m", "dvc", "repro", "--all-pipelines"])
    for stage in sorted((ROOT / "stages").glob("*.py")):
        rows[f"start of `{stage.stem}`"] = seconds([python, "-c", imported(stage)])
    for name, value in rows.items():
        print(f"| {name} | {value:.2f} | {value / empty:.0f} |", flush=True)


if __name__ == "__main__":
    main()
