"""What stages report in numbers: metrics as JSON, tables as CSV."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from nnlab.errors import UserError
from nnlab.files import atomic


def write_metrics(path: Path, values: dict[str, Any]) -> None:
    """Write metrics as JSON with sorted keys; floats keep six significant digits.

    A value that is not finite is a `UserError`: a training that ran away must not look like a result.
    """

    def refuse(word: str) -> None:
        raise UserError(f"{path}: a value is {word}: the training diverged; lower its learning rate")

    exact = json.dumps(values, default=lambda number: number.item())  # NumPy's numbers
    rounded = json.loads(exact, parse_float=lambda digits: float(f"{float(digits):.6g}"), parse_constant=refuse)
    text = json.dumps(rounded, indent=2, sort_keys=True, ensure_ascii=False)
    with atomic(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a comma-separated table with a header line, without its index; floats keep six significant digits."""
    with atomic(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")
