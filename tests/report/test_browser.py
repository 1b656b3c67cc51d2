"""The web report in a real browser, wide and on a phone: sliders moved, values read, no error.

A script in the page does what a user would and sends what it saw to the frame around it, which Chromium prints.
"""

import html
import json
import os
import re
import shutil
import subprocess

import pytest

from nnlab.report.build import web_page
from tests.report import samples

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(  # where NNLAB_CI is set, a missing browser is a failure
        not (CHROMIUM or os.environ.get("NNLAB_CI")), reason="needs Chromium (Debian package chromium)"
    ),
]
FIRST = """<script>
const problems = [];
addEventListener("error", event => problems.push(event.message || event.target.outerHTML.slice(0, 99)), true);
addEventListener("securitypolicyviolation", event => problems.push(event.blockedURI));
</script>"""
LAST = """<script>
const all = selector => [...document.querySelectorAll(selector)], one = selector => document.querySelector(selector);
const press = (node, key) => node.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
const slide = (input, value) => { input.value = value; input.dispatchEvent(new Event("input")); };
const visible = () => all(".slider").map(s => s.querySelector(".frames img:not(.off)").dataset.label);
const wait = milliseconds => new Promise(done => setTimeout(done, milliseconds));
addEventListener("load", async () => {
  await wait(300);
  const seen = { overflow: document.documentElement.scrollWidth - innerWidth, last: visible(), charts: [] };
  seen.broken = all("img").filter(i => !i.complete || !i.naturalWidth).length;
  all(".slider input").forEach(input => slide(input, 0));
  seen.first = visible();
  one(".slider button").click();
  await wait(2500);
  seen.played = visible()[0];
  seen.lines = all(".chart").map(c => c.querySelectorAll("path").length);
  for (const key of ["ArrowRight", "End"]) {
    press(one(".plot"), key);
    seen.charts.push(one(".chart .readout").textContent);
  }
  press(one(".matrix tbody td"), "ArrowRight");
  press(document.activeElement, "ArrowDown");
  seen.cell = one(".matrix .readout").textContent;
  const box = one(".codes").getBoundingClientRect(), latent = [];
  const look = () => latent.push([one(".latent .readout").textContent, one(".decoded canvas").toDataURL()]);
  for (const share of [0.15, 0.85]) {
    const place = { clientX: box.x + box.width * share, clientY: box.y + box.height / 2 };
    one(".codes").dispatchEvent(new PointerEvent("pointermove", place));
    look();
  }
  slide(one(".latent .y"), 0);
  look();
  seen.latent = [0, 1].map(k => new Set(latent.map(pair => pair[k])).size);
  parent.postMessage(JSON.stringify({ ...seen, problems }), "*");
});
</script>"""
FRAME = """<!doctype html><meta charset="utf-8"><body>
<script>onmessage = event => { document.body.append("SEEN " + event.data + " END"); };</script>
<iframe src="report.html" width="%d" height="800" style="border: 0"></iframe></body>"""


@pytest.mark.parametrize("width", [1280, 375], ids=["desktop", "phone"])
def test_the_page_works(run, tmp_path, width):
    page = web_page(samples.facts(run), samples.PACKAGE).replace("<style>", FIRST + "<style>", 1)
    (tmp_path / "report.html").write_text(page.replace("</body>", LAST + "</body>"), encoding="utf-8")
    (tmp_path / "frame.html").write_text(FRAME % width, encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--dump-dom"]
    flags += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=20000", "--window-size=1400,900"]
    done = subprocess.run([CHROMIUM, *flags, (tmp_path / "frame.html").as_uri()], capture_output=True, timeout=120)
    found = re.search(r"SEEN (\{.*\}) END", html.unescape(done.stdout.decode()))
    assert found, done.stderr.decode()[-2000:]
    seen = json.loads(found[1])
    assert (seen["problems"], seen["broken"]) == ([], 0)
    assert seen["overflow"] <= 0  # no sideways scrolling
    assert seen["last"] == ["300 次迭代", "300 次迭代", "训练 100 %", "α = 1"]
    assert seen["first"] == ["100 次迭代", "100 次迭代", "训练 10 %", "α = 0.1"]
    assert seen["played"] == "300 次迭代"
    assert all(count >= 2 for count in seen["lines"])
    assert seen["charts"][0] == "轮 1: 训练（前 10,000 张训练图像） 0.82 · 测试 0.818"
    assert seen["charts"][1].startswith("轮 5: ")
    assert seen["cell"].startswith("真实类别 Trouser, 预测类别 Trouser: ")
    assert seen["latent"] == [3, 3]  # three places, three digits
