"""The report from facts and templates: one web page that needs no network, and the PDF to hand in.

What is said stands in `templates/zh.j2` and `en.j2`, once per language. They are put together of parts (a task, a
table, a figure ...), which `web_parts.j2` writes as HTML and `pdf_parts.j2` as Typst; `page.html.j2` and `report.typ`
are around them. The same facts and sources give the same bytes.
"""

import importlib.util
import json
import re
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, Literal

import jinja2
import typst
from markupsafe import Markup

from nnlab.errors import UserError
from nnlab.figures import PALETTE, TEN_COLORS
from nnlab.report.excerpts import excerpt
from nnlab.report.pictures import as_uri, for_print, for_screen, read_picture, sprite

TEMPLATES = Path(__file__).parent / "templates"
# In the wheel mplfonts; mathematics, Latin text and code have the fonts that Typst carries.
FONTS = (
    "NotoSerifCJKsc-Regular.otf",  # text
    "NotoSansCJKsc-Regular.otf",  # headings
    "NotoSansMonoCJKsc-Regular.otf",  # Chinese in code
)
_HAN, _MARKS = "\u3400-\u9fff", "\u3000-\u303f\uff00-\uffef"  # characters; punctuation and full-width forms


def web_page(facts: dict[str, Any], source: Path) -> str:
    """The HTML text: one file, opens from disk, works on a phone. `source` is the package's folder, for quotes."""
    formulas = json.loads((TEMPLATES / "formulas.json").read_text(encoding="utf-8"))
    drawn = dict(zip(formulas, typeset({"main.typ": (TEMPLATES / "formulas.typ").read_bytes()}, "svg")))
    environment = _environment(autoescape=True)
    environment.globals |= {
        "parts": "web_parts.j2",
        "picture": for_screen,
        "sprite": sprite,
        "formula_picture": lambda name: {"uri": as_uri(drawn[name], "image/svg+xml"), "math": formulas[name]},
        "palette": PALETTE,
        "digit_colors": TEN_COLORS,
    }
    prose = _prose(environment, facts, source)
    files = {kind: Markup((TEMPLATES / f"page.{kind}").read_text(encoding="utf-8")) for kind in ("css", "js")}
    return environment.get_template("page.html.j2").render(prose=prose, body=Markup(str(prose)), **files, **facts)


def pdf(facts: dict[str, Any], source: Path) -> bytes:
    """The PDF's bytes. `source` is the package's folder, which the report quotes code from."""
    files: dict[str, str | bytes] = {}

    def picture(path: Path) -> dict[str, Any]:
        """Register a picture; the template needs its size in pixels to fit it on a page."""
        ending, content = for_print(path)
        name = f"{len(files):02}-{path.stem}{ending}"
        files[name] = content
        width, height = read_picture(path).size
        return {"file": name, "width": width, "height": height}

    environment = _environment(autoescape=False)
    environment.globals |= {"parts": "pdf_parts.j2", "picture": picture}
    environment.filters["typst"] = literal
    prose = _prose(environment, facts, source)
    report = facts["report"]
    about = {key: getattr(report, key) for key in ("name", "student_id", "course", "language")}
    about |= {"title": prose.title, "subtitle": prose.subtitle, "words": prose.words}  # type: ignore[attr-defined]
    files["main.typ"] = f'#import "report.typ": *\n#show: report.with(..{literal(about)})\n{prose}'
    return typeset(files, "pdf")[0]


def typeset(files: dict[str, str | bytes], form: Literal["pdf", "svg"]) -> list[bytes]:
    """Compile main.typ of `files` (name -> content) beside the templates; returns its pages (SVG) or the one PDF.

    There is no date in them, and no font of the system.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "fonts").mkdir()
        for font in _font_files():
            (folder / "fonts" / font.name).symlink_to(font)
        for static in ("report.typ", "formulas.json"):
            (folder / static).symlink_to(TEMPLATES / static)
        for file, content in files.items():
            (folder / file).write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[folder / "fonts"])
        compiler = typst.Compiler(folder / "main.typ", root=folder, font_paths=fonts)
        try:
            done = compiler.compile(format=form, timestamp=0)
        except typst.TypstError as error:
            raise RuntimeError(f"the report's template does not compile: {error.diagnostic or error}") from error
    return [done] if isinstance(done, bytes) else list(done or [])


def _environment(*, autoescape: bool) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=autoescape,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "allow_nan": False}  # no sorting
    environment.filters |= {"percent": lambda value: f"{100 * value:.2f}", "three": lambda value: f"{value:.3f}"}
    environment.filters |= {"short": short, "flow": flow}
    return environment


def _prose(environment: jinja2.Environment, facts: dict[str, Any], source: Path) -> Any:
    """The report's text in its language: str() of it is the body, its attributes are what the template sets."""
    template = environment.get_template(f"{facts['report'].language}.j2")
    try:
        return template.make_module({**facts, "excerpt": partial(excerpt, source)})
    except jinja2.UndefinedError as error:
        raise UserError(f"src/nnlab/report/templates/{template.name}: {error.message}; run `dvc repro`") from error


def _font_files() -> list[Path]:
    """The font files in the mplfonts wheel, found without importing it."""
    spec = importlib.util.find_spec("mplfonts")
    folders = list(spec.submodule_search_locations or []) if spec else []
    files = [Path(folder, "fonts", font) for folder in folders for font in FONTS]
    if not files or not all(file.is_file() for file in files):
        raise UserError(f"mplfonts: has no {', '.join(FONTS)}; run `pip install --force-reinstall mplfonts==0.0.11`")
    return files


# ---- filters of the templates ----


def short(value: float) -> str:
    """Four significant digits, without an exponent where that stays readable."""
    if value != 0 and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.3e}"
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"


def flow(text: str) -> str:
    """A paragraph's lines as one: joined by a space, but not between Chinese characters or beside their marks."""
    glued = rf"(?<=[{_HAN}])\s*\n\s*(?=[{_HAN}])|(?<=[{_MARKS}])\s*\n\s*|\s*\n\s*(?=[{_MARKS}])"
    return type(text)(re.sub(r"\s*\n\s*", " ", re.sub(glued, "", text.strip())))


def literal(value: Any) -> str:
    """Plain data as Typst code: strings, numbers, lists, dictionaries."""
    if isinstance(value, dict):
        return (
            "(" + "".join(f"{literal(str(key))}: {literal(item)}," for key, item in value.items()) + ")"
            if value
            else "(:)"
        )
    if isinstance(value, (list, tuple)):
        return "(" + "".join(f"{literal(item)}," for item in value) + ")"
    if isinstance(value, str):
        return json.dumps("".join(c for c in value if c.isprintable() or c == "\n"), ensure_ascii=False)
    return json.dumps(value)
