"""The web report in a real browser, wide and on a phone: sliders moved, values read, no error."""

import pytest

from nnlab.report.build import web_page
from tests.report import samples

pytestmark = pytest.mark.slow
# Stands before each script: what it looks with, and works the page with.
HANDS = """const all = selector => [...document.querySelectorAll(selector)], one = selector => all(selector)[0];
const press = (node, key) => node.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
const slide = (input, value) => { input.value = value; input.dispatchEvent(new Event("input")); };
const visible = () => all(".slider").map(s => s.querySelector(".frames img:not(.off)").dataset.label);
const readout = chart => one(chart + " .readout").textContent;
"""
POINT = """const box = one(".codes").getBoundingClientRect();
const place = { clientX: box.x + box.width * %s, clientY: box.y + box.height / 2 };
one(".codes").dispatchEvent(new PointerEvent("pointermove", place));"""
DECODED = "return [readout('.latent'), one('.decoded canvas').toDataURL()]"


@pytest.mark.parametrize("width", [1280, 375], ids=["desktop", "phone"])
def test_the_page_works(me, run, tmp_path, width):
    page = tmp_path / "report.html"
    page.write_text(web_page(samples.facts(run), samples.PACKAGE), encoding="utf-8")

    def do(script):
        return me.driver.execute_script(HANDS + script)

    me.open(page.as_uri(), width)
    assert me.overflow() <= 0  # no sideways scrolling
    assert do("return all('img').filter(image => !image.complete || !image.naturalWidth).length") == 0
    assert do("return visible()") == ["300 次迭代", "300 次迭代", "训练 100 %", "α = 1"]
    do("all('.slider input').forEach(input => slide(input, 0))")
    assert do("return visible()") == ["100 次迭代", "100 次迭代", "训练 10 %", "α = 0.1"]
    do("one('.slider button').click()")  # plays
    me.until(lambda: do("return visible()[0]") == "300 次迭代", 10)
    assert min(do("return all('.chart').map(chart => chart.querySelectorAll('path').length)")) >= 2
    first = do("press(one('.plot'), 'ArrowRight'); return readout('.chart')")
    assert first == "轮 1: 训练（前 10,000 张训练图像） 0.82 · 测试 0.818"
    assert do("press(one('.plot'), 'End'); return readout('.chart')").startswith("轮 5: ")
    do("press(one('.matrix tbody td'), 'ArrowRight'); press(document.activeElement, 'ArrowDown')")
    assert do("return readout('.matrix')").startswith("真实类别 Trouser, 预测类别 Trouser: ")
    latent = [do(how + DECODED) for how in (POINT % 0.15, POINT % 0.85, "slide(one('.latent .y'), 0);")]
    assert [len(set(seen)) for seen in zip(*latent)] == [3, 3]  # three places, three digits
    assert (me.complaints(), me.strangers()) == ([], set())
