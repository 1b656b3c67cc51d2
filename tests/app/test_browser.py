"""Each tab of `nnlab app` in a real browser, used as a person would; the screenshots stay in .pytest_cache/d/app."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests import quick
from tests.app.conftest import make_lab
from tests.browser import Person
from tests.datasets import photo

pytestmark = pytest.mark.slow
TABS = ("Style transfer", "Training stages", "Latent space", "Denoiser", "Fashion-MNIST", "Gatys")


@pytest.fixture(scope="module")
def address(me, tmp_path_factory):
    """The command, in a folder with small networks; after SIGTERM nothing that was uploaded is left."""
    folder, temporary = tmp_path_factory.mktemp("browser"), tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        make_lab(folder)
    variables = {**quick.environment(quick.ROOT), "TMPDIR": str(temporary), "ALL_PROXY": "socks5://127.0.0.1:9"}
    command = [sys.executable, "-m", "nnlab.cli", "app"]
    with subprocess.Popen(command, cwd=folder, env=variables, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield re.match(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())[0]
            assert list(temporary.glob("nnlab-app-*/*"))
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert not list(temporary.glob("nnlab-app-*"))


@pytest.fixture(scope="module")
def shots(pytestconfig) -> Path:
    return pytestconfig.cache.mkdir("app")


def use_style_transfer(me: Person, folder: Path) -> None:
    pictures, slider = "#drawn img", lambda: me.sources("#drawn img")
    me.see(pictures, 2)
    before = slider()
    photo(1, (160, 120)).save(folder / "mine.png")
    me.upload(0, folder / "mine.png")
    before = me.changed(before, pictures)
    me.see(".thumbnail-item", 3)[2].click()
    me.text("Portrait of Père Tanguy")
    before = me.changed(before, pictures)
    me.see("input[type=checkbox]")[0].click()
    me.changed(before, pictures)
    (folder / "bad.png").write_bytes(b"nothing")
    me.upload(0, folder / "bad.png")  # nothing is being drawn, which would tell the error once more
    assert me.text("bad.png: not an image").count("bad.png: ") == 1
    me.until(lambda: not slider())
    me.upload(0, folder / "mine.png")
    me.see(pictures, 2)
    before = slider()
    write(me, "0.4", "600")  # drawn with each digit
    me.changed(before, pictures)


def use_training_stages(me: Person, folder: Path) -> None:
    me.text("10 % of the training")
    me.see("[data-testid=image] img, .image-frame img", 2)


def use_latent_space(me: Person, folder: Path) -> None:
    plane, digit = me.see(".plane")[0], "#decoded img"
    before = me.sources(digit)
    me.drag(plane, (0.3, -0.25))
    before = me.changed(before, digit)
    me.drag(plane, (0.3, -0.25), (0.1, 0.1), (-0.4, 0.4))
    me.changed(before, digit)
    me.until(lambda: all(float(number.get_attribute("value")) < 0 for number in me.see("input[type=number]", 2)))
    background = me.sources(".plane img")
    me.see("input[type=radio]", 2)[1].click()
    me.changed(background, ".plane img")


def use_denoiser(me: Person, folder: Path) -> None:
    me.text("Noisy: PSNR")
    before = first = me.until(lambda: len(found := me.sources(".image-frame img")) == 3 and found)
    for stroke in ([(0.1, -0.3)], [(-0.2, -0.3), (0.2, -0.3), (0, 0.35)]):  # a tap, which leaves a dot, and a line
        me.drag(me.see(".pad canvas")[0], *stroke)
        before = me.changed(before, ".image-frame img")
    me.see(".pad button")[0].click()  # what was drawn goes; the chosen digit of the test set is back
    me.until(lambda: me.sources(".image-frame img") == first)


def use_fashion_mnist(me: Person, folder: Path) -> None:
    me.text("true: T-shirt/top")
    assert len(me.see(".bar", 20)) == 20
    before = me.sources("#seen img")
    me.until(lambda: me.press("Another one") or time.sleep(1) or me.sources("#seen img") != before)  # it may be alike
    before = me.sources("#seen img")
    me.upload(0, folder / "mine.png")
    me.changed(before, "#seen img")
    me.text("your picture")
    write(me, "2.6")  # no image has this number; the next one takes the place of the own one
    me.text("true: Dress")


def write(me: Person, *values: str) -> None:
    """Type these into the boxes of the sliders."""
    for number, value in zip(me.see("input[type=number]", len(values)), values):
        number.send_keys(Keys.CONTROL, "a")
        number.send_keys(value, Keys.ENTER)


def use_gatys(me: Person, folder: Path) -> None:
    write(me, "384", "300")  # so large and long that it does not end
    me.press("Start")
    me.text(" of 300: before it")
    me.press("Stop")
    write(me, "128", "20")  # a Start before the Stop is done, within an iteration, is ignored
    me.until(lambda: me.press("Start") or time.sleep(2) or " of 20: before it" in me.said(), 30)
    me.text("iteration 20 of 20", seconds=40)  # one run at a time: the long one, which takes minutes, has ended


def test_every_tab_is_used(address, me, shots, tmp_path):
    me.open(address)
    for tab, use in zip(TABS, (use_style_transfer, use_training_stages, use_latent_space, use_denoiser,
                               use_fashion_mnist, use_gatys)):  # fmt: skip
        me.press(tab)
        use(me, tmp_path)
        me.picture(shots / f"{tab}, used.png")
    assert not me.strangers(), "the page asks no other machine for anything"


@pytest.mark.parametrize(("width", "theme"), [(1280, "dark"), (390, "light"), (390, "dark")])
def test_every_tab_fits_the_screen(address, me, shots, width, theme):
    me.open(address, width, theme)
    for tab in TABS:
        me.press(tab)
        time.sleep(1)
        me.picture(shots / f"{tab}, {width} {theme}.png")
        assert me.overflow() <= 0, f"{tab} is wider than the screen"
