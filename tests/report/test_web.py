import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from nnlab.report.build import build
from nnlab.report.web import render
from tests.report import samples

ROOT = Path(__file__).resolve().parents[2]
VOID = {"meta", "link", "img", "input", "br"}


def page(run, **values):
    return render(build(samples.Params(), samples.section(**values), samples.inputs(run)))


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


def test_the_page_is_whole_and_needs_no_network(run):
    text = page(run)
    tags = Checker(text).seen
    for tag, attributes in tags:
        for key in ("src", "href"):
            assert attributes.get(key, "#").startswith(("#", "data:")), (tag, attributes[key][:60])
    assert all(attributes.get("alt") for tag, attributes in tags if tag == "img")
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert not re.search(r"(?:url\(|@import|https?://(?!www\.w3\.org))", text)
    assert len(text.encode()) < 8e6


def test_the_same_results_give_the_same_bytes_in_both_languages(run):
    assert page(run) == page(run)
    assert '<html lang="en">' in page(run, language="en")


def test_text_of_the_user_cannot_become_markup(run):
    report = build(samples.Params(vgg_note="</script><b>"), samples.section(course="<b>&</b>"), samples.inputs(run))
    text = render(report)
    assert "<b>&</b>" not in text
    assert "</script><b>" not in text
    Checker(text)


def test_every_experiment_has_numbers_parameters_figures_and_what_was_really_used(run):
    text = page(run, language="en")
    for part in ("89.12", "0.1601", "21.50", "fashion.hidden", "adain.train.crop", "stand-in", "11" * 32, "10-NN"):
        assert part in text
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.S)[1])
    assert len(data["latent"]["codes"]) == 3 * 200
    assert set(data["charts"]) >= {"fashion-0", "autoencoder-0", "denoiser-0", "gatys-0", "adain-0"}


@pytest.mark.parametrize("stage", ["report_web", "report_pdf", "report_pack"])
def test_a_report_stage_does_not_load_torch(stage):
    modules = "nnlab.report.build, nnlab.report.web, nnlab.report.pdf, nnlab.report.pack, nnlab.params"
    code = f"import sys, stages.{stage}, {modules}; sys.exit('torch' in sys.modules)"
    environment = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": "/usr/bin:/bin"}
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment).returncode == 0
