"""The report from facts and templates: one web page that needs no network, and the PDF to hand in.

What is said stands in `templates/zh.j2` and `en.j2`, once per language. They are put together of parts (a task, a
table, a figure ...), which `web_parts.j2` writes as HTML and `pdf_parts.j2` as Typst; `page.html.j2` and `report.typ`
are around them. The same facts and sources give the same bytes.
"""

import ast
import json
import re
import shutil
import tempfile
import textwrap
from functools import partial
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Literal

import jinja2
import typst

from nnlab.errors import UserError
from nnlab.figures import PALETTE, TEN_COLORS
from nnlab.report.pictures import as_uri, encoded, sprite

TEMPLATES = Path(__file__).parent / "templates"
_HAN, _MARKS = "\u3400-\u9fff", "\u3000-\u303f\uff00-\uffef"  # characters; punctuation and full-width forms


def web_page(facts: dict[str, Any], source: Path) -> str:
    """The HTML text: one file, opens from disk, works on a phone. `source` is the package's folder, for quotes."""
    formulas = json.loads((TEMPLATES / "formulas.json").read_text(encoding="utf-8"))
    drawn = dict(zip(formulas, _typeset('#include "formulas.typ"', {}, "svg")))
    environment = _environment(facts, source, "web_parts.j2")
    environment.globals |= {
        "picture": encoded,
        "sprite": sprite,
        "formula_picture": lambda name: {"uri": as_uri("image/svg+xml", drawn[name]), "math": formulas[name]},
        "palette": PALETTE,
        "digit_colors": TEN_COLORS,
    }
    return environment.get_template("page.html.j2").render(prose=_prose(environment, facts))


def pdf(facts: dict[str, Any], source: Path) -> bytes:
    """The PDF's bytes. `source` is the package's folder, which the report quotes code from."""
    files: dict[str, bytes] = {}

    def picture(path: Path) -> dict[str, Any]:
        """Register a picture; the template needs its size in pixels to fit it on a page."""
        found = encoded(path)
        name = f"{len(files)}.{found.kind}"
        files[name] = found.data
        return {"file": name, "width": found.width, "height": found.height}

    environment = _environment(facts, source, "pdf_parts.j2")
    environment.globals["picture"] = picture
    prose = _prose(environment, facts)
    about = literal(
        {**facts["report"].model_dump(), "title": prose.title, "subtitle": prose.subtitle, "words": prose.words}
    )
    return _typeset(f'#import "report.typ": *\n#show: report.with(..{about})\n{prose}', files, "pdf")


def _typeset(main: str, files: dict[str, bytes], form: Literal["pdf", "svg"]) -> Any:
    """Typst code, compiled beside `files` and the templates: a PDF's bytes, or a list of pages as SVG.

    There is no date in them, and no font of the system: Typst carries those of mathematics, Latin text and code, and
    the wheel mplfonts the Chinese ones.
    """
    chinese = str(distribution("mplfonts").locate_file("mplfonts/fonts"))
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[chinese])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(shutil.copytree(TEMPLATES, name, dirs_exist_ok=True))
        for file, content in {"main.typ": main.encode(), **files}.items():
            (folder / file).write_bytes(content)
        return typst.compile(folder / "main.typ", root=folder, font_paths=fonts, format=form, timestamp=0)


def _environment(facts: dict[str, Any], source: Path, parts: str) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=parts == "web_parts.j2",
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "allow_nan": False}  # no sorting
    environment.filters |= {"short": short, "flow": flow, "typst": literal}
    environment.filters |= {"percent": lambda value: f"{100 * value:.2f}", "three": lambda value: f"{value:.3f}"}
    environment.globals |= {**facts, "parts": parts, "excerpt": partial(excerpt, source)}
    return environment


def _prose(environment: jinja2.Environment, facts: dict[str, Any]) -> Any:
    """The report's text in its language: str() of it is the body, its attributes are what the template sets."""
    template = environment.get_template(f"{facts['report'].language}.j2")
    try:
        return template.module
    except jinja2.UndefinedError as error:
        raise UserError(f"src/nnlab/report/templates/{template.name}: {error.message}; run `dvc repro`") from error


# ---- what the templates call ----


def excerpt(source: Path, file: str, name: str) -> tuple[int, str]:
    """The first line's number and the text of `name` ("function", "Class" or "Class.method") in `source`/`file`.

    It is cut out when the report is built, so that none can go stale; the file is not imported. Docstrings are dropped
    (the report explains in its own words). Raises `UserError` when the name is not there.
    """
    text = (source / file).read_text(encoding="utf-8")
    node: Any = ast.parse(text, file)
    for part in name.split("."):
        node = next((child for child in ast.iter_child_nodes(node) if getattr(child, "name", "") == part), None)
        if node is None:
            raise UserError(f"{source / file}: has no {name}, which the report quotes; mend src/nnlab/report/templates")
    first = min(line.lineno for line in (node, *node.decorator_list))
    documented = [x for x in ast.walk(node) if isinstance(x, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(x)]
    dropped = {line for x in documented for line in range(x.body[0].lineno, x.body[0].end_lineno + 1)}  # type: ignore[operator]
    lines = enumerate(text.splitlines()[: node.end_lineno], 1)
    kept = [line for number, line in lines if number >= first and number not in dropped]
    return first, textwrap.dedent("\n".join(kept)).strip("\n")


def short(value: float) -> str:
    """Four significant digits, from 10,000 on a whole number."""
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"


def flow(text: str) -> str:
    """A paragraph's lines as one: joined by a space, but not between Chinese characters or beside their marks."""
    glued = rf"(?<=[{_HAN}])\s*\n\s*(?=[{_HAN}])|(?<=[{_MARKS}])\s*\n\s*|\s*\n\s*(?=[{_MARKS}])"
    return type(text)(re.sub(r"\s*\n\s*", " ", re.sub(glued, "", text.strip())))


def literal(value: Any) -> str:
    """Plain data as Typst code: a string with its JSON, which Typst reads; their strings have the same escapes."""
    inner = json.dumps(value, ensure_ascii=False)
    return f"json(bytes({json.dumps(inner, ensure_ascii=False)}))"
