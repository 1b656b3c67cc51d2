import re
import shutil
import subprocess
from pathlib import Path

import pytest

from nnlab.report import typeset
from nnlab.report.build import build
from nnlab.report.pdf import render
from tests.report import samples

PACKAGE = Path(__file__).resolve().parents[2] / "src/nnlab"


def made(run, **values):
    return render(build(samples.Params(), samples.section(**values), samples.inputs(run)), PACKAGE)


def test_the_same_results_give_the_same_bytes(run):
    first = made(run)
    assert first.startswith(b"%PDF-")
    assert first == made(run)
    assert b"/CreationDate (D:2" not in first  # no date of today


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="needs pdftotext (Debian package poppler-utils)")
@pytest.mark.parametrize(
    ("language", "parts"),
    [("zh", ["实验三", "张三", "20230002", "测试准确率", "替代素材", "def content_loss"]),
     ("en", ["Experiment 3", "test accuracy", "stand-in", "What was done", "def style_loss"])],
)  # fmt: skip
def test_the_pdf_says_what_it_must(run, tmp_path, language, parts):
    (tmp_path / "a.pdf").write_bytes(made(run, language=language))
    text = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "a.pdf", "-"], capture_output=True, check=True
    ).stdout.decode()
    text = re.sub(r"[\u2f00-\u2fdf]", "", text)
    for part in parts:
        assert part in text
    fonts = subprocess.run(["pdffonts", tmp_path / "a.pdf"], capture_output=True, check=True).stdout.decode()
    rows = fonts.splitlines()[2:]
    assert rows
    assert all(row.split()[-5] == "yes" for row in rows), fonts  # every font is embedded


def test_formulas_become_pictures():
    first, second = typeset.formulas_as_svg(["a^2", r'cal(L)_"style"'])
    assert first.startswith("<svg")
    assert first != second
    assert typeset.formulas_as_svg([]) == []


def test_fonts_are_found_without_importing_their_package():
    import sys

    assert [path.name for path in typeset._font_files()] == list(typeset._FONTS)
    assert "mplfonts" not in sys.modules
