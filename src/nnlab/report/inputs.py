"""The result files that a report is made from. A file that is missing or damaged is one line for the user."""

import csv
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from nnlab.errors import UserError

AGAIN = "delete it and run `dvc repro`"


class Metrics(dict[str, Any]):
    """Named numbers; a name that is not there is a `UserError` with the file and what it has."""

    def __init__(self, values: dict[str, Any], path: Path) -> None:
        super().__init__(values)
        self.path = path

    def __missing__(self, key: str) -> Any:
        raise UserError(f"{self.path}: has no {key}; found {', '.join(sorted(self))[:300]}; {AGAIN}")


class Columns(dict[str, list[Any]]):
    """Columns of a table by name; a name that is not there is a `UserError` with the file and what it has."""

    def __init__(self, values: dict[str, list[Any]], path: Path) -> None:
        super().__init__(values)
        self.path = path

    def __missing__(self, key: str) -> Any:
        raise UserError(f"{self.path}: has no column {key}; found {', '.join(self)[:300]}; {AGAIN}")

    def without(self, key: str) -> dict[str, list[Any]]:
        """The other columns."""
        return {name: values for name, values in self.items() if name != key}


@dataclass(frozen=True)
class Inputs:
    """The folders that the other stages write into."""

    metrics: Path
    plots: Path
    data: Path

    @property
    def results(self) -> Path:
        """The folder of single pictures and tables, data/results."""
        return self.data / "results"

    def metric(self, name: str) -> "Metrics":
        """metrics/<name>.json, nested keys joined by dots."""
        path = self.metrics / f"{name}.json"
        return Metrics(flatten(read_json(path)), path)

    def table(self, name: str) -> Columns:
        """plots/<name> (CSV) as column -> texts."""
        return read_csv(self.plots / name)

    def plot(self, name: str) -> Path:
        """The figure plots/<name>."""
        return existing(self.plots / name)

    def result(self, name: str) -> Path:
        """The picture or table data/results/<name>."""
        return existing(self.results / name)


def existing(path: Path) -> Path:
    """The path itself, if there is such a file; else `UserError`."""
    if not path.is_file():
        raise UserError(f"{path}: not found; the report is made from it: run `dvc repro`")
    return path


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file that holds an object."""
    try:
        value = json.loads(existing(path).read_text(encoding="utf-8"))
    except ValueError:
        raise UserError(f"{path}: not valid JSON; {AGAIN}") from None
    if not isinstance(value, dict):
        raise UserError(f"{path}: must hold a JSON object; {AGAIN}")
    return value


def read_csv(path: Path) -> Columns:
    """A CSV file with a header as column -> texts."""
    try:
        with existing(path).open(newline="", encoding="utf-8") as file:
            header, *rows = list(csv.reader(file)) or [[]]
    except (ValueError, csv.Error):
        header, rows = [], []
    if not header or not rows or any(len(row) != len(header) for row in rows):
        raise UserError(f"{path}: not a whole table; {AGAIN}")
    return Columns({name: [row[i] for row in rows] for i, name in enumerate(header)}, path)


def column(table: Columns, name: str) -> list[float]:
    """One column as numbers."""
    try:
        values = [float(text) for text in table[name]]
    except ValueError:
        values = [math.nan]
    if not all(map(math.isfinite, values)):
        raise UserError(f"{table.path}: column {name} does not hold numbers; {AGAIN}")
    return values


def numeric(table: Columns) -> Columns:
    """The columns that hold numbers; an empty cell is None."""
    columns: dict[str, list[Any]] = {}
    for name, texts in table.items():
        try:
            columns[name] = [float(text) if text else None for text in texts]
        except ValueError:
            continue
    return Columns(columns, table.path)


def read_picture(path: Path) -> Image.Image:
    """A picture that another stage wrote, as RGB."""
    try:
        with Image.open(existing(path)) as image:
            return image.convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise UserError(f"{path}: not a whole picture ({error}); {AGAIN}") from None


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested dicts as one dict with dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
