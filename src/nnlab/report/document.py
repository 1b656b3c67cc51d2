"""What a report says, before it is a page or a PDF: plain data that both are made from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnlab.report.inputs import Inputs

Say = Callable[[str, str], str]  # (Chinese, English) -> the one of the report's language


@dataclass(frozen=True)
class Number:
    """A result with its unit ("" for a pure number)."""

    label: str
    value: str
    unit: str = ""


@dataclass(frozen=True)
class Formula:
    """A formula in Typst's mathematical notation, with the words that introduce it."""

    words: str
    math: str


@dataclass(frozen=True)
class Figure:
    """A picture file with its caption. `web`: the page shows it, too (it draws curves itself)."""

    path: Path
    caption: str
    web: bool = True


@dataclass(frozen=True)
class Chart:
    """Curves over a common x, drawn by the web page: series are name -> values, None where there is no value."""

    title: str
    x_label: str
    y_label: str
    x: list[float]
    series: dict[str, list[float | None]]
    log: bool = False


@dataclass(frozen=True)
class Frame:
    """A picture with the label that it has on a slider."""

    label: str
    path: Path


@dataclass(frozen=True)
class Slider:
    """Pictures to move through, and pictures that stand beside them."""

    title: str
    frames: list[Frame]
    beside: list[Frame] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True)
class Table:
    """A small table: a header and rows of text."""

    caption: str
    columns: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Quote:
    """A piece of source to quote: file below the package, name in it, and what it does."""

    file: str
    name: str
    caption: str


@dataclass(frozen=True)
class Task:
    """One experiment of the assignment."""

    key: str
    title: str
    done: list[str]
    parameters: dict[str, str]
    numbers: list[Number]
    findings: list[str]
    figures: list[Figure]
    formulas: list[Formula] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    sliders: list[Slider] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    extras: dict[str, Any] = field(default_factory=dict)  # what one experiment alone has: confusion matrix, latent grid


@dataclass(frozen=True)
class Asset:
    """Data or weights that were really used: the content of a provenance file."""

    name: str
    source: str
    stand_in: bool
    note: str
    files: dict[str, str]


@dataclass(frozen=True)
class Report:
    """The whole report."""

    language: str
    title: str
    name: str
    student_id: str
    course: str
    warnings: list[str]
    assets: list[Asset]
    tasks: list[Task]


@dataclass(frozen=True)
class Context:
    """What a task is built from: all parameters as plain dicts, the result files, and the language."""

    params: dict[str, Any]
    inputs: Inputs
    say: Say


def parameters(section: dict[str, Any], prefix: str) -> dict[str, str]:
    """A section of params.yaml as dotted key -> value as one would type it."""
    flat: dict[str, str] = {}
    for key, value in section.items():
        if isinstance(value, dict):
            flat |= parameters(value, f"{prefix}.{key}") or {f"{prefix}.{key}": "{}"}
        else:
            flat[f"{prefix}.{key}"] = shown(value)
    return flat


def differing(values: dict[str, Any], common: dict[str, Any]) -> dict[str, Any]:
    """Those values that are not the same in `common`."""
    return {key: value for key, value in values.items() if key not in common or common[key] != value}


def shown(value: Any) -> str:
    """A value as in YAML's flow style, without quotes around plain text."""
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(shown(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {shown(item)}" for key, item in value.items()) + "}"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value)
