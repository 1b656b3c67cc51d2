"""The page and the PDF as text: whole, self-contained, the same each time, and saying what the numbers show."""

import html
import json
import re
import shutil
import subprocess
from copy import deepcopy
from html.parser import HTMLParser

import pytest

from nnlab.report.build import excerpt, pdf, web_page
from nnlab.report.facts import RECORDS
from nnlab.stage import call
from stages import report_build
from tests import quick
from tests.report import samples
from tests.report.samples import PACKAGE, ROOT, write_json
from tests.tools import needs

VOID = {"meta", "link", "img", "input", "br"}


def text_of(page):
    """What a reader sees."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<(style|script).*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)))


@pytest.fixture(scope="module")
def pages(run):
    return {language: web_page(samples.facts(run, language=language), PACKAGE) for language in ("zh", "en")}


class Checker(HTMLParser):
    """Collects tags and attributes, and fails where an element is not closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen = [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_is_whole_and_needs_no_network(pages, language):
    tags = Checker(pages[language]).seen
    for tag, attributes in tags:
        for key in ("src", "href"):
            assert attributes.get(key, "#").startswith(("#", "data:")), (tag, attributes[key][:60])
    assert all(attributes.get("alt") for tag, attributes in tags if tag == "img")
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert not re.search(r"(?:url\(|@import|https?://(?!www\.w3\.org))", pages[language])
    assert len(pages[language].encode()) < 8e6


def test_both_languages_have_the_same_parts(pages):
    shapes = [[(tag, attributes.get("class")) for tag, attributes in Checker(page).seen] for page in pages.values()]
    assert shapes[0] == shapes[1]


def test_every_experiment_has_its_numbers_and_what_was_really_used(pages):
    text = text_of(pages["en"])
    for part in (
        "Test accuracy goes from 81.80 % after epoch 1 to 89.00 % after epoch 5 (+7.20 percentage points)",
        "(784-1000-500-250-2-250-500-1000-784, GELU)",
        "The test loss goes from 0.2600 after the first epoch to 0.1650 nats per pixel after epoch 20 (-36.5 %)",
        "cnn with batch_size 512 → 256, learning_rate 0.012 → 0.008, augment_flip false → true.",
        "√(p(1 − p)/N) = 0.31 percentage points, that of a difference of two",
        "differences below twice that, 0.88, may be chance",
        "(+10.30 dB): the geometric mean of the images' squared errors becomes 0.0933 times what it was",
        "main: at full size the weighted total loss goes from 1.332 (iteration 300) to 1.2 (iteration 500; -10.0 %)",
        "All else equal",
        "10 % 8.000 5.000 58.00 0.700 19.9 50 %",
        "style loss 5.000 → 3.200 (-36.0 %), weighted total 58.00 → 36.40 (-37.2 %), edges 0.700 → 0.790 (+0.090)",
        "The style is a painting in 17 % of the steps, and another photo in 68 %",
        "at α = 0 the held-out photos come back with a PSNR of 20.0 dB",
        "64 held-out pairs are made of 16 photos and 6 paintings",
        "Stand-in (pair): a palace for cornell.jpg",
        "Hokusai: The Wave (1831) WebMuseum GPL-3+",
        "Easiest: Bag, Ankle boot (94.00 %); hardest: T-shirt/top (70.00 %)", "hardware.precision auto",
        "first 10,000 training images", "11" * 32, "adain.alpha [0.3, 0.6, 0.9]", "def content_loss",
    ):  # fmt: skip
        assert part in text, part
    assert text.count("verified by SHA-256") == len(RECORDS) - 1  # not the stand-in
    assert "前 10,000 张训练图像上的准确率" in text_of(pages["zh"])


def test_a_picture_that_grew_from_coarse_to_fine_is_said_to(run):
    page = text_of(web_page(samples.facts(run, {"gatys.common.coarse_iterations": [50, 100]}, language="en"), PACKAGE))
    assert "from coarse to fine: iterations at smaller sizes (main: 300, layers: 300), each" in page


def test_what_is_not_as_the_assignment_or_the_paper_has_it_is_said(run, tmp_path):
    root = shutil.copytree(run, tmp_path / "copy")
    short_run = {**json.loads((root / "metrics/adain.json").read_text()), "iterations": 50}
    write_json(root / "metrics/adain.json", short_run)
    write_json(root / "data/raw/style/provenance.json", {"name": "sample", "note": "", "stand_in": False})
    facts = samples.facts(root, language="en", name="姓名", student_id="1231")
    share = facts["params"].adain.train.identity.share
    text = text_of(web_page(facts, PACKAGE))
    assert f"in {100 * share:.0f} % of the steps the style is the photo itself" in text
    assert "report.name not set" in text
    assert "adain.train.max_iter was 50, full is 10,000" in text
    assert "paintings in the place of WikiArt" in text
    assert "photos in the place of MS-COCO" not in text
    assert "Set adain.alpha: [0.2, 0.5, 0.8] in params.yaml, then run: make report" in text


def test_settings_of_the_users_own_are_told_and_none_is_told_that_is_not_there(run, tmp_path):
    known = deepcopy(samples.SETTINGS)
    known["fashion.training"]["augment_flip"] = True
    known["gatys.jobs"]["layers"] |= {"start": "content", "optimizer": "adam", "learning_rate": 0.02}
    changed = {**known, "gatys.common.start": "noise", "adain.train.identity": {"share": 1.0, "pixel_weight": 200.0}}
    facts = samples.facts(shutil.copytree(run, tmp_path / "copy"), changed)
    facts["denoiser"]["metrics"] = {**facts["denoiser"]["metrics"], "noise_factor": 0.0}
    text = text_of(web_page(facts, PACKAGE))
    assert "图像随机分成两半，逐轮交替左右翻转其中一半" in text
    assert "例外：layers：start noise → content、optimizer lbfgs → adam、learning_rate 1.0 → 0.02。" in text
    assert "从内容图开始，内容损失起初为 0" in text
    assert "不加噪声" in text
    assert not [said for said in ("含噪图像（截断到 [0, 1]）的 PSNR", "风格图为画的迭代占", "颜色损失") if said in text]


def test_text_of_the_user_cannot_become_markup(run):
    page = web_page(samples.facts(run, course='</script><b>"&'), PACKAGE)
    assert "</script><b>" not in page
    assert "A &lt;tower&gt;" in page
    Checker(page)
    assert pdf(samples.facts(run, course='"]#panic() \\ $x'), PACKAGE).startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("language", "parts"),
    [("zh", ["实验三", "张三", "20230002", "测试准确率", "替代图像", "def content_loss", "留出集"]),
     ("en", ["Experiment 3", "test accuracy", "stand-in", "What was done", "def style_loss", "Figure 1", "Table 1"])],
)  # fmt: skip
def test_the_pdf_says_what_it_must(run, tmp_path, language, parts):
    made = pdf(samples.facts(run, language=language), PACKAGE)
    assert made.startswith(b"%PDF-")
    assert b"/CreationDate (D:2" not in made  # no date of today
    needs("pdftotext", "pdffonts")  # Debian package poppler-utils
    (path := tmp_path / "a.pdf").write_bytes(made)
    text = re.sub(r"[\u2f00-\u2fdf]", "", subprocess.check_output(["pdftotext", "-layout", path, "-"]).decode())
    assert not [part for part in parts if part not in text]
    fonts = subprocess.check_output(["pdffonts", path]).decode()
    rows = fonts.splitlines()[2:]
    assert rows
    assert all(row.split()[-5] == "yes" for row in rows), fonts  # every font is embedded


def test_the_same_facts_give_the_same_bytes(run, pages):
    facts = samples.facts(run, language="zh")
    assert web_page(facts, PACKAGE) == pages["zh"]
    assert pdf(facts, PACKAGE) == pdf(facts, PACKAGE)


# ---- excerpts and the stage ----

SOURCE = '''raise RuntimeError("must not run")


@decorated
def first(x):
    """Docstring
    of two lines."""
    # 注释
    return x


class Thing:
    """About it."""

    def second(self):
        """A line."""
        return first(self)
'''


def test_excerpts_have_no_docstrings_and_do_not_run_the_file(tmp_path):
    (tmp_path / "b.py").write_text(SOURCE, encoding="utf-8")
    assert excerpt(tmp_path, "b.py", "first") == (4, "@decorated\ndef first(x):\n    # 注释\n    return x")
    assert excerpt(tmp_path, "b.py", "Thing.second") == (15, "def second(self):\n    return first(self)")
    assert '"""' not in excerpt(tmp_path, "b.py", "Thing")[1]


@pytest.fixture
def project(run, workdir):
    """A project folder with results, parameters and the package's sources."""
    shutil.copytree(run, workdir, dirs_exist_ok=True)
    shutil.copytree(ROOT / "src", workdir / "src", ignore=shutil.ignore_patterns("__pycache__", "*.safetensors"))
    quick.write_params(workdir, {**samples.SETTINGS, "report.name": "姓名", "report.student_id": "学号"})
    return workdir


ARGUMENTS = ["src/nnlab", "metrics", "plots", "data", "report"]
WRITTEN = ["report/index.html", "report/实验三_姓名_学号.pdf"]


def test_the_stage_writes_both_and_says_that_names_are_missing(project, capsys):
    assert call(report_build.main, ARGUMENTS) == 0
    assert "report.name, report.student_id not set" in capsys.readouterr().err
    assert all((project / name).stat().st_size > 10_000 for name in WRITTEN)


@pytest.mark.parametrize(
    ("file", "before", "after", "said"),
    [("src/nnlab/gatys/losses.py", "def style_loss", "def renamed", "losses.py: has no style_loss"),
     ("params.yaml", "name: 姓名", "name: a/b", "report.name = 'a/b': becomes part of a file name"),
     ("metrics/denoiser.json", "noisy_psnr_db", "x", "no attribute 'noisy_psnr_db'; run `dvc repro`"),
     ("plots/adain/alpha.png", None, None, "plots/adain/alpha.png: No such file")],
)  # fmt: skip
def test_what_the_stage_cannot_use_is_one_line(project, capsys, file, before, after, said):
    if before is None:
        (project / file).unlink()
    else:
        text = (project / file).read_text(encoding="utf-8")
        (project / file).write_text(text.replace(before, after), encoding="utf-8")
    assert call(report_build.main, ARGUMENTS) == 1
    assert said in capsys.readouterr().err.splitlines()[-1]
    assert not list((project / "report").glob("*.pdf"))
