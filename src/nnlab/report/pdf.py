"""The report to hand in: A4 PDF, typeset by Typst from report.typ."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from nnlab.report.document import Figure, Report, Task
from nnlab.report.encode import for_print
from nnlab.report.excerpts import excerpt
from nnlab.report.inputs import read_picture
from nnlab.report.typeset import template, typeset

SOURCE_NAME = "src/nnlab"  # how the report names the package's folder


def render(report: Report, source: Path) -> bytes:
    """The PDF's bytes, the same for the same report and the same sources under the package folder `source`."""
    pictures: dict[str, bytes] = {}
    data = {
        "language": report.language,
        "title": report.title,
        "name": report.name,
        "student_id": report.student_id,
        "course": report.course,
        "warnings": report.warnings,
        "assets": [asdict(asset) for asset in report.assets],
        "tasks": [_task(task, source, pictures) for task in report.tasks],
    }
    return typeset(template("report.typ"), data, pictures)[0]


def _task(task: Task, source: Path, pictures: dict[str, bytes]) -> dict[str, Any]:
    """A task as plain data; its pictures are added to `pictures` under the names that the data uses."""
    quotes = []
    for quote in task.quotes:
        cut = excerpt(source, quote.file, quote.name)
        place = f"{SOURCE_NAME}/{cut.file}:{cut.line}"
        quotes.append({"caption": quote.caption, "place": place, "name": cut.name, "text": cut.text})
    return {
        "title": task.title,
        "done": task.done,
        "numbers": [asdict(number) for number in task.numbers],
        "findings": task.findings,
        "formulas": [asdict(formula) for formula in task.formulas],
        "tables": [asdict(table) for table in task.tables],
        "figures": [_figure(figure, f"{task.key}-{i}", pictures) for i, figure in enumerate(task.figures)],
        "quotes": quotes,
        "parameters": [[key, value] for key, value in task.parameters.items()],
    }


def _figure(figure: Figure, name: str, pictures: dict[str, bytes]) -> dict[str, Any]:
    """Register a picture; the template needs its size in pixels to fit it on a page."""
    width, height = read_picture(figure.path).size
    photo = for_print(figure.path)
    file = f"{name}.jpg" if photo else f"{name}{figure.path.suffix}"
    pictures[file] = photo or figure.path.read_bytes()
    return {"file": file, "caption": figure.caption, "width": width, "height": height}
