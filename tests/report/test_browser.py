"""The web report in a real browser: sliders moved, tooltips read, no error, both widths."""

import os

import pytest
from PIL import Image

from nnlab.report.build import build
from nnlab.report.web import render
from tests.report import browser, samples

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(  # where NNLAB_CI is set, a missing browser is a failure
        not (browser.executable() or os.environ.get("NNLAB_CI")), reason="needs Chromium (Debian package chromium)"
    ),
]
VISIBLE = "[...document.querySelectorAll('.slider')].map(s => s.querySelector('.frames img:not(.off)').dataset.label)"


@pytest.fixture(scope="module")
def page(run, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "报告 index.html"
    path.write_text(render(build(samples.Params(), samples.section(), samples.inputs(run))), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def chromium():
    with browser.Browser() as chromium:
        yield chromium


@pytest.fixture(params=[(1280, False), (375, True)], ids=["desktop", "phone"])
def opened(request, chromium, page):
    width, phone = request.param
    chromium.problems.clear()
    chromium.open(page, width, 800, phone=phone)
    yield chromium
    assert chromium.problems == []


def test_it_opens_without_sideways_scrolling(opened, tmp_path):
    width = opened.js("innerWidth")
    assert opened.js("document.documentElement.scrollWidth") <= width
    assert opened.js("[...document.images].every(i => i.complete && i.naturalWidth > 0)") is True
    opened.screenshot(tmp_path / "page.png")
    with Image.open(tmp_path / "page.png") as shot:
        assert shot.width == width
        assert len(shot.convert("RGB").resize((200, 2000)).getcolors(1 << 20)) > 100


def test_sliders_move_by_keyboard(opened):
    before = opened.js(VISIBLE)
    assert len(before) == 4  # two jobs of gatys, checkpoints, alpha
    for i in range(4):
        opened.js(f"document.querySelectorAll('.slider input')[{i}].focus()")
        opened.press("Home")
    first = opened.js(VISIBLE)
    assert not set(first) & set(before)
    for i in range(4):
        opened.js(f"document.querySelectorAll('.slider input')[{i}].focus()")
        opened.press("ArrowRight")
    assert opened.js(VISIBLE) not in (first, before)
    spoken = opened.js("[...document.querySelectorAll('.slider input')].map(i => i.getAttribute('aria-valuetext'))")
    assert spoken == opened.js(VISIBLE)


def test_a_series_plays(opened):
    opened.js("document.querySelector('.slider button').click()")
    assert opened.js(VISIBLE)[0] == "100 次迭代"
    opened.js("new Promise(done => setTimeout(done, 1800))")
    assert opened.js(VISIBLE)[0] == "300 次迭代"


def test_curves_tell_their_values(opened):
    readout = "document.querySelector('.chart .readout').textContent"
    opened.js("document.querySelector('.chart .plot').focus()")
    opened.press("ArrowRight")
    assert opened.js(readout) == "轮 1: 训练（前 10,000 张训练图像） 82 · 测试 81.8"
    opened.press("End")
    assert "轮 5" in opened.js(readout)
    lines = opened.js("[...document.querySelectorAll('.chart')].map(c => c.querySelectorAll('path').length)")
    assert all(count >= 2 for count in lines)


def test_the_confusion_matrix_is_read_cell_by_cell(opened):
    opened.js("document.querySelector('.matrix tbody td').focus()")
    opened.press("ArrowRight")
    opened.press("ArrowDown")
    text = opened.js("document.querySelector('.matrix .readout').textContent")
    assert text.startswith("真实类别 Trouser, 预测类别 Trouser: ")


def test_the_latent_space_shows_the_digit_under_the_pointer(opened):
    readout = "document.querySelector('.latent .readout').textContent"
    digit = "document.querySelector('.decoded canvas').toDataURL()"
    opened.js("document.querySelector('.codes').scrollIntoView({block: 'center', behavior: 'instant'})")
    box = opened.js("(({x, y, width, height}) => [x, y, width, height])"
                    "(document.querySelector('.codes').getBoundingClientRect())")  # fmt: skip
    seen = set()
    for place in (0.15, 0.85):
        opened.move(box[0] + box[2] * place, box[1] + box[3] * 0.5)
        seen.add((opened.js(readout), opened.js(digit)))
    opened.js("document.querySelector('.latent .y').focus()")
    opened.press("Home")
    seen.add((opened.js(readout), opened.js(digit)))
    assert len({text for text, _ in seen}) == 3
    assert len({picture for _, picture in seen}) == 3
