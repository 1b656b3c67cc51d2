"""Code excerpts for the report, cut out of the source by name when the report is built, so that none can go stale."""

import ast
import textwrap
from pathlib import Path

from nnlab.errors import UserError

_DEFINITIONS = (ast.FunctionDef, ast.ClassDef)


def excerpt(source: Path, file: str, name: str) -> tuple[int, str]:
    """The first line's number and the text of `name` ("function", "Class" or "Class.method") in `source`/`file`.

    The file is not imported. Docstrings are dropped (the report explains in its own words). Raises `UserError` when the
    name is not there.
    """
    text = (source / file).read_text(encoding="utf-8")
    node: ast.AST = ast.parse(text, file)
    for part in name.split("."):
        found = [child for child in ast.iter_child_nodes(node) if getattr(child, "name", "") == part]
        if not found:
            raise UserError(f"{source / file}: has no {name}, which the report quotes; mend src/nnlab/report/templates")
        node = found[0]
    assert isinstance(node, _DEFINITIONS)
    first = min(line.lineno for line in (node, *node.decorator_list))
    definitions = [inner for inner in ast.walk(node) if isinstance(inner, _DEFINITIONS) and ast.get_docstring(inner)]
    docstrings = [inner.body[0] for inner in definitions]
    dropped = {number for words in docstrings for number in range(words.lineno, (words.end_lineno or 0) + 1)}
    lines = enumerate(text.splitlines()[: node.end_lineno], 1)
    kept = [line for number, line in lines if number >= first and number not in dropped]
    return first, textwrap.dedent("\n".join(kept)).strip("\n")
