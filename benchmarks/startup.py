"""How long it takes to find out that nothing has changed, and to start the stages. The commands take turns.

    python benchmarks/startup.py [--rounds 5]

The pipeline must be up to date: its `dvc repro` is measured.
"""

import subprocess
import sys
from functools import partial

from measure import arguments, in_turns, row, show
from run import ROOT

STAGES = ", ".join(path.stem for path in sorted((ROOT / "stages").glob("*.py")))
COMMANDS = {
    "`dvc repro`, nothing changed": ["-m", "dvc", "repro", "--all-pipelines"],
    "`import torch`": ["-c", "import torch"],
    "importing all stages": ["-c", f"from stages import {STAGES}"],
}


def run(command: list[str]) -> None:
    """Run Python. The script ends if that fails, or if it is a `dvc repro` with something to do."""
    result = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"python {' '.join(command)}: failed: {result.stderr.strip()}")
    if "Running stage" in result.stdout:
        sys.exit("the pipeline is not up to date, so its `dvc repro` cannot be measured: run `make repro` first")


def main() -> None:
    """Measure in turns and print."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    run([*COMMANDS["`dvc repro`, nothing changed"], "--dry"])
    times = in_turns({what: partial(run, command) for what, command in COMMANDS.items()}, rounds)
    show([row(f"{what}, s", found) for what, found in times.items()])


if __name__ == "__main__":
    main()
