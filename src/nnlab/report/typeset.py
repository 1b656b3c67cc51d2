"""Typst, with fonts that come along: Noto CJK from the mplfonts wheel, mathematics and code from Typst itself."""

import json
import tempfile
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from nnlab.data.download import installed_file
from nnlab.errors import UserError

# (file in mplfonts/fonts, what it is for); only these are read, so that other fonts of the wheel cannot creep in.
_FONTS = (
    "NotoSerifCJKsc-Regular.otf",  # text
    "NotoSansCJKsc-Regular.otf",  # headings
    "NotoSansMonoCJKsc-Regular.otf",  # Chinese in code
)
_FORMULA_PAGES = """
#set page(width: auto, height: auto, margin: 2pt, fill: none)
#set text(size: 12pt, font: ("New Computer Modern", "Noto Serif CJK SC"))
#for formula in json("data.json") [ #math.equation(block: true, eval(formula, mode: "math")) #pagebreak(weak: true) ]
"""


def typeset(
    template: str, data: Any, pictures: dict[str, bytes] | None = None, form: Literal["pdf", "svg"] = "pdf"
) -> list[bytes]:
    """Compile a Typst document that reads `data` from data.json; returns its pages (SVG) or the one PDF.

    `pictures` maps the file names that the template uses to their bytes. The same input gives the same bytes: there is
    no date in it and no system font.
    """
    import typst

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "fonts").mkdir()
        for font in _font_files():
            (folder / "fonts" / font.name).symlink_to(font)
        (folder / "main.typ").write_text(template, encoding="utf-8")
        (folder / "data.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        for picture, content in (pictures or {}).items():
            (folder / picture).write_bytes(content)
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[folder / "fonts"])
        compiler = typst.Compiler(folder / "main.typ", root=folder, font_paths=fonts)
        try:
            done = compiler.compile(format=form, timestamp=0)
        except typst.TypstError as error:
            raise RuntimeError(f"the report's template does not compile: {error.diagnostic or error}") from error
    return [done] if isinstance(done, bytes) else list(done or [])


def formulas_as_svg(formulas: Sequence[str]) -> list[str]:
    """Each formula (Typst mathematics) as an SVG picture, black on nothing."""
    if not formulas:
        return []
    return [page.decode("utf-8") for page in typeset(_FORMULA_PAGES, list(formulas), form="svg")]


def template(name: str) -> str:
    """A text file of this package."""
    return resources.files("nnlab.report").joinpath(name).read_text(encoding="utf-8")


def _font_files() -> list[Path]:
    """The font files in the mplfonts wheel, found without importing it."""
    found = {font: installed_file("mplfonts", f"fonts/{font}") for font in _FONTS}
    if missing := [font for font, path in found.items() if path is None]:
        names = ", ".join(missing)
        raise UserError(
            f"mplfonts: its fonts {names} are not there; run `pip install --force-reinstall mplfonts==0.0.11`"
        )
    return [path for path in found.values() if path]
