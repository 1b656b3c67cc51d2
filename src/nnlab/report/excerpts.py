"""Code excerpts for the report, cut out of the source by name when the report is built, so that none can go stale."""

import ast
import textwrap
from pathlib import Path

from nnlab.errors import UserError

_DEFINITIONS = (ast.FunctionDef, ast.ClassDef)


def excerpt(source: Path, file: str, name: str) -> tuple[int, str]:
    """The first line's number and the text of `name` ("function", "Class" or "Class.method") in `source`/`file`.

    The file is not imported. Decorators are kept, docstrings are dropped (the report explains in its own words). Raises
    `UserError` when the file or the name is not there.
    """
    path = source / file
    try:
        text = path.read_text(encoding="utf-8")
        node: ast.AST = ast.parse(text)
    except (OSError, SyntaxError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as Python; the report quotes {name} from it ({error})") from None
    for part in name.split("."):
        found = (
            child for child in ast.iter_child_nodes(node) if isinstance(child, _DEFINITIONS) and child.name == part
        )
        if (inner := next(found, None)) is None:
            raise UserError(f"{path}: has no {name}, which the report quotes; mend src/nnlab/report/templates")
        node = inner
    first = min(line.lineno for line in (node, *node.decorator_list))  # type: ignore[attr-defined]
    dropped = {number for inner in ast.walk(node) for number in _docstring(inner)}
    lines = text.splitlines()[: node.end_lineno]  # type: ignore[attr-defined]
    kept = [line for number, line in enumerate(lines, 1) if number >= first and number not in dropped]
    return first, textwrap.dedent("\n".join(kept)).strip("\n")


def _docstring(node: ast.AST) -> range:
    """The lines of a definition's docstring; none if it has none, or nothing else: it would no longer be valid."""
    if not isinstance(node, _DEFINITIONS) or not ast.get_docstring(node) or len(node.body) == 1:
        return range(0)
    return range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)
