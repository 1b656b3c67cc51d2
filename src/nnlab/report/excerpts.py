"""Code excerpts for the report, cut out of the source by name when the report is built, so that none can go stale."""

import ast
import textwrap
from dataclasses import dataclass
from pathlib import Path

from nnlab.errors import UserError

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Excerpt:
    """The source of one function, class or method, with the place that it came from."""

    file: str
    name: str
    line: int
    text: str


def excerpt(source: Path, file: str, name: str) -> Excerpt:
    """Cut `name` ("function", "Class" or "Class.method") out of `source`/`file`, without importing it.

    Decorators are kept, the docstring is dropped (the report explains in its own words). Raises `UserError` when the
    file or the name is not there.
    """
    path = source / file
    try:
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
    except FileNotFoundError:
        raise UserError(f"{path}: not found; the report quotes {name} from it (src/nnlab/report/tasks)") from None
    except (SyntaxError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as Python ({error})") from None
    node = _child(tree, *name.split("."), path=path, name=name)
    lines = text.splitlines()
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    kept = _without_docstring(node, lines, first)
    return Excerpt(file, name, first, textwrap.dedent("\n".join(kept)).strip("\n"))


def _child(node: ast.Module | Definition, part: str, *below: str, path: Path, name: str) -> Definition:
    for child in node.body:
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and child.name == part:
            return _child(child, *below, path=path, name=name) if below else child
    raise UserError(f"{path}: has no {name}, which the report quotes; mend the list in src/nnlab/report/tasks")


def _without_docstring(node: Definition, lines: list[str], first: int) -> list[str]:
    """The node's lines less those of its own docstring and of the docstrings of its methods."""
    drop: set[int] = set()
    for inner in ast.walk(node):
        if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and ast.get_docstring(inner):
            doc = inner.body[0]
            if len(inner.body) > 1:  # a body that is a docstring alone must keep it to remain valid
                drop.update(range(doc.lineno, (doc.end_lineno or doc.lineno) + 1))
                following = (doc.end_lineno or doc.lineno) + 1
                if following <= len(lines) and not lines[following - 1].strip():
                    drop.add(following)
    return [lines[n - 1] for n in range(first, (node.end_lineno or first) + 1) if n not in drop]
