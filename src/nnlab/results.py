"""What stages report in numbers: metrics as JSON, tables as CSV, timings."""

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnlab.errors import UserError
from nnlab.files import atomic

TIMINGS = Path("metrics/timings.json")  # git-ignored: seconds belong to a machine, not to a result


def write_metrics(path: Path, values: dict[str, Any]) -> None:
    """Write metrics as JSON with sorted keys; floats keep six significant digits.

    A value that is not finite is a `UserError`: a training that ran away must not look like a result.
    """
    if lost := _not_finite(values):
        raise UserError(f"{path}: {', '.join(lost)} not finite: the training diverged; lower its learning rate")
    with atomic(path) as temporary:
        temporary.write_text(
            json.dumps(_rounded(values), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n",
            encoding="utf-8",
        )


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a comma-separated table with a header line; floats keep six significant digits."""
    import csv

    with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_rounded(value) for value in row] for row in rows)


def record_timing(name: str, seconds: float) -> None:
    """Note how long something took on this machine, in metrics/timings.json."""
    try:
        timings = json.loads(TIMINGS.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        timings = {}
    write_metrics(TIMINGS, {**(timings if isinstance(timings, dict) else {}), name: seconds})


def _not_finite(value: Any, key: str = "") -> list[str]:
    """Dotted names of the numbers in `value` that are NaN or infinite."""
    if isinstance(value, dict):
        return [name for k, inner in value.items() for name in _not_finite(inner, f"{key}.{k}" if key else str(k))]
    if isinstance(value, (list, tuple)):
        return [name for i, inner in enumerate(value) for name in _not_finite(inner, f"{key}.{i}")]
    return [key] if isinstance(value, (float, np.floating)) and not math.isfinite(value) else []


def _rounded(value: Any) -> Any:
    """Floats to six significant digits, NumPy's integers to Python's, also in dicts and lists; all else unchanged."""
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(inner) for inner in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.6g}") if math.isfinite(value) else float(value)
    return int(value) if isinstance(value, np.integer) else value
