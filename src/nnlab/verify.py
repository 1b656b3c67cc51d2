"""The results in the workspace against the committed ones: `make verify`.

Read from git: `metrics/*.json` and `plots/**/*.csv` of HEAD. What is equal, what differs as much as another machine or
precision makes it differ, and what differs more, is told per file. docs/reproducibility.md says what to expect where.
"""

import csv
import io
import json
import math
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nnlab.errors import UserError

# Two whole runs on machines of another kind and precision set them (docs/reproducibility.md): a column's numbers may
# differ, in the mean over its rows, by this share of the largest one, those of losses by that; an accuracy by this
# much; words (classes) in this share. In the mean, because an optimiser's jumps come an iteration earlier or later.
# Whole numbers (iterations, seeds, images) are settings and counts: on every machine the same.
RELATIVE = 0.03
LOSSES = 0.1
ACCURACY = 0.01
WORDS = 0.03

EQUAL, WITHIN, DIFFERENT, MISSING, NEW = "equal", "within tolerance", "different", "missing", "not committed"
Columns = dict[str, list[object]]


@dataclass(frozen=True)
class Verdict:
    """What is to say of one file: how many values it holds, the worst one and how far it is off (a share of 1)."""

    name: str
    verdict: str
    values: int = 0
    worst: str = ""
    difference: float = 0.0


def verify(root: Path = Path(".")) -> list[Verdict]:
    """Compare every result of `root` with that of its HEAD. UserError outside a git repository with a commit."""
    committed = {name: _git(root, "show", f"HEAD:./{name}") for name in _committed(root)}
    here = {str(path.relative_to(root)) for folder in ("metrics", "plots") for path in _results(root / folder)}
    ignored = {name for name in here - committed.keys() if _is_ignored(root, name)}
    verdicts = [compare_file(name, old, root / name) for name, old in sorted(committed.items())]
    return verdicts + [Verdict(name, NEW) for name in sorted(here - committed.keys() - ignored)]


def table(verdicts: list[Verdict]) -> str:
    """The verdicts as aligned lines of text, the worst ones first, and a last line with their numbers."""
    order = [DIFFERENT, MISSING, NEW, WITHIN, EQUAL]
    rows = [("result", "values", "verdict", "largest difference")]
    for v in sorted(verdicts, key=lambda v: (order.index(v.verdict), v.name)):
        worst = f"{100 * v.difference:.2g} % at {v.worst}" if v.worst else ""
        rows.append((v.name, str(v.values or ""), v.verdict, worst))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    counts = [f"{number} {kind}" for kind in order if (number := sum(v.verdict == kind for v in verdicts))]
    return "\n".join([*lines, "", ", ".join(counts) or "nothing to compare: no results are committed"])


def main() -> int:
    """Print the table; 0 if all results are equal or within tolerance, else 1."""
    verdicts = verify()
    print(table(verdicts))
    return int(any(v.verdict in (DIFFERENT, MISSING) for v in verdicts))


def compare_file(name: str, old: str, path: Path) -> Verdict:
    """Compare a result file with the text `old` that it had before; `name` tells its kind by its ending."""
    if not path.is_file():
        return Verdict(name, MISSING)
    try:
        before, now = _columns(name, old), _columns(name, path.read_text(encoding="utf-8"))
    except (ValueError, csv.Error) as error:
        return Verdict(name, DIFFERENT, worst=f"file that cannot be read ({error})", difference=1.0)
    count = sum(len(column) for column in before.values())
    if before == now:
        return Verdict(name, EQUAL, count)
    worst, (difference, allowed) = "", (0.0, True)
    for key in sorted(before.keys() | now.keys()):
        share, least = LOSSES if "loss" in name + key else RELATIVE, ACCURACY if "accuracy" in key else 0.0
        found, fits = _difference(before.get(key), now.get(key), share, least)
        if (not fits, found) > (not allowed, difference):
            worst, difference, allowed = key, found, fits
    return Verdict(name, WITHIN if allowed else DIFFERENT, count, worst, difference)


def _difference(
    before: list[object] | None, now: list[object] | None, share: float, least: float
) -> tuple[float, bool]:
    """How far two columns are apart, as a share, and whether that is at most `share`, or `least` in numbers.

    Whole numbers must be equal.
    """
    if before is None or now is None or len(before) != len(now):
        return 1.0, False
    if before == now:
        return 0.0, True
    numbers = [(a, b) for a, b in zip(before, now) if isinstance(a, (int, float)) and isinstance(b, (int, float))]
    if len(numbers) < len(before):
        other = sum(a != b for a, b in zip(before, now)) / len(before)
        return other, other <= WORDS
    scale = max(abs(a) for a, _ in numbers)
    gap = sum(abs(a - b) for a, b in numbers) / len(numbers)
    whole = all(isinstance(a, int) for a, _ in numbers)
    return gap / scale if scale else 1.0, not whole and gap <= max(share * scale, least)


def _columns(name: str, text: str) -> Columns:
    """A table's columns, or the numbers of a metrics file, each as a column of one."""
    if name.endswith(".json"):
        return {key: [value] for key, value in _flat(json.loads(text))}
    header, *rows = list(csv.reader(io.StringIO(text))) or [[]]
    if any(len(row) != len(header) for row in rows):
        raise ValueError("rows of different lengths")
    return {key: [_value(row[i]) for row in rows] for i, key in enumerate(header)}


def _flat(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, (dict, list)):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _flat(inner, f"{key}.{name}" if key else str(name))
    else:
        yield key, value


def _value(cell: str) -> object:
    """A whole number as int, another finite one as float, anything else as it is."""
    with suppress(ValueError):
        return int(cell)
    with suppress(ValueError):
        if math.isfinite(number := float(cell)):
            return number
    return cell


def _results(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.suffix in (".json", ".csv"))


def _committed(root: Path) -> list[str]:
    names = _git(root, "ls-tree", "-rz", "--name-only", "HEAD", "--", "metrics", "plots").split("\0")
    return [name for name in names if name.endswith((".json", ".csv"))]


def _is_ignored(root: Path, name: str) -> bool:
    return subprocess.run(["git", "check-ignore", "--quiet", name], cwd=root).returncode == 0


def _git(root: Path, *arguments: str) -> str:
    try:
        result = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=True)
    except FileNotFoundError:
        raise UserError("git is not installed; it holds the committed results") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        raise UserError(f"cannot read the committed results: {said[-1] if said else 'git failed'}") from None
    return result.stdout.decode("utf-8")
