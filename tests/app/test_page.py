"""The page of `nnlab app` through its interface for programs, on networks that were trained a little."""

import base64
import io
import os
import re
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import requests
import torch
import yaml
from gradio_client import handle_file
from gradio_client.exceptions import AppError
from PIL import Image, ImageDraw, ImageOps

from nnlab.adain.shipped import networks
from nnlab.adain.stylize import Stylizer, open_picture
from nnlab.app import page, parts
from nnlab.app import painting as painting_tab
from nnlab.app.fashion import bars
from nnlab.autoencoder.model import build
from nnlab.errors import UserError
from nnlab.fashion.figures import GREY, ORANGE, RED
from nnlab.figures import BLUE
from nnlab.params import AutoencoderParams, load_params
from nnlab.training.loop import load
from tests import quick
from tests.app.conftest import SMALL
from tests.data.test_imageset import encoded
from tests.datasets import photo, write_files

STYLE = {"second": None, "share": 0.5, "alpha": 1.0, "stroke": 128, "size": 0, "keep": False}
GATYS = {"content": ["block1_conv1"], "styles": ["block1_conv1"], "size": 128, "iterations": 20}


@pytest.fixture
def client(lab):
    return lab.client()


@pytest.fixture
def painting(lab):
    return lab.folder / "data/raw/pictures/paintings/held_out/cafe_terrace_at_night.png"


@pytest.fixture
def drawn(client, painting):
    """The result that the tab of style transfer offers for a photo."""

    def draw(path, **changes):
        given = {"photo": handle_file(str(path)), "first": handle_file(str(painting)), **STYLE, **changes}
        return Path(client.predict(**given, api_name="/stylize")[1]["value"])

    return draw


def shades(address):
    """The pixels of a picture that the page shows, taken as figures show them: 255 for ink."""
    return 255 - np.asarray(Image.open(address).convert("L").resize((28, 28), Image.Resampling.NEAREST)).astype(int)


def test_a_photo_is_drawn_as_the_command_does_upright_and_at_its_exact_size(drawn, painting, tmp_path):
    turned = Image.Exif()
    turned[274] = 6  # a phone that was held upright
    photo(1, (53, 37)).save(tmp_path / "phone.png", exif=turned)
    result = drawn(tmp_path / "phone.png", alpha=0.6, stroke=6)  # the first key of a larger number: the least is 128
    assert result.name == "phone_cafe_terrace_at_night.jpg"
    assert Image.open(result).size == (37, 53)
    stylizer = Stylizer(*networks())
    expected = stylizer.stylize(open_picture(tmp_path / "phone.png", 0), [open_picture(painting, 128)], alpha=0.6)
    assert np.abs(np.asarray(Image.open(result)).astype(int) - np.asarray(expected)).mean() < 4  # JPEG


def test_transparency_is_kept_and_each_result_has_the_size_that_was_asked_for(drawn, painting, tmp_path):
    cutout = photo(2, (60, 40)).convert("RGBA")
    cutout.putalpha(Image.linear_gradient("L").resize(cutout.size))
    long = tmp_path / f"{'照' * 60}.png"  # a disk allows names of 255 bytes
    cutout.save(long)
    other = handle_file(str(painting.with_name("spring.png")))
    choices = {"second": other, "share": 1}, {"first": other}
    result, alone = (Image.open(drawn(long, keep=True, **chosen)) for chosen in choices)
    assert (np.asarray(result) == np.asarray(alone)).all(), "a share of 1 is the second painting alone"
    assert (result.mode, result.size) == ("RGBA", (60, 40))
    assert (np.asarray(result.getchannel("A")) == np.asarray(cutout.getchannel("A"))).all()
    photo(3, (1400, 300)).save(tmp_path / "large.png")
    for size, alpha, expected in ((256, 1.0, (1195, 256)), (0, 1.0, (1400, 300)), (0, 0.5, (1400, 300))):
        assert Image.open(drawn(tmp_path / "large.png", size=size, alpha=alpha)).size == expected


@pytest.mark.parametrize(
    ("content", "line"),
    [(b"no image", "bad.jpg: not an image that can be read (8 bytes)"), (b"", "bad.jpg: not an image"),
     (encoded(4, (8, 40)), "bad.jpg: 8x40 pixels; at least 9 a side are needed")],
    ids=["text", "empty", "tiny"],
)  # fmt: skip
def test_a_bad_file_is_the_commands_one_line(drawn, tmp_path, content, line):
    (tmp_path / "bad.jpg").write_bytes(content)
    with pytest.raises(AppError) as caught:
        drawn(tmp_path / "bad.jpg")
    assert line in str(caught.value)
    assert str(tmp_path.parent) not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_request_has_limits_of_time_and_size(client, lab, monkeypatch, tmp_path):
    photo(1, (40, 40)).save(tmp_path / "a.png")
    monkeypatch.setattr(painting_tab, "SECONDS", -1)
    with pytest.raises(AppError, match="longer than -1 seconds"):
        client.predict(*[handle_file(str(tmp_path / "a.png"))] * 2, api_name="/stages")
    large = {"files": ("large.png", bytes((64 << 20) + 1))}
    assert requests.post(f"{lab.address}gradio_api/upload", files=large, timeout=60).status_code == 413
    with pytest.raises(page.gr.Error, match="not enough memory"), parts.told():
        raise MemoryError


def test_what_is_old_goes_but_for_what_every_visitor_sees(tmp_path):
    folder = write_files(tmp_path, {"run/a.png": b"", "sample.png": b""})
    for seconds, left in ((60, 2), (-60, 2), (-60, 1)):  # an emptied folder goes the next time
        page.sweep(folder, {folder / "sample.png"}, seconds)
        assert len(os.listdir(folder)) == left


def test_twenty_requests_at_once_lose_none(client, painting, tmp_path):
    jobs = []
    for seed in range(20):
        photo(seed, (64 + seed, 48)).save(tmp_path / f"{seed}.png")
        given = {"photo": handle_file(str(tmp_path / f"{seed}.png")), "first": handle_file(str(painting)), **STYLE}
        jobs.append(client.submit(**given, api_name="/stylize"))
    for seed, job in enumerate(jobs):
        assert Image.open(job.result(timeout=60)[1]["value"]).size == (64 + seed, 48)


def test_each_stage_of_the_training_draws(client, painting):
    drawn = client.predict(*[handle_file(str(painting))] * 2, api_name="/stages")
    light = [np.asarray(Image.open(picture)).mean() for picture in drawn]
    assert light == sorted(set(light))
    assert len(light) == 4


def test_the_decoder_follows_the_plane(lab, client):
    model = load(lab.folder / "data/models/autoencoder/model.safetensors", AutoencoderParams, build)[0]
    digit, x, y = client.predict({"x": 0.5, "y": -1.25}, api_name="/decode")
    with torch.inference_mode():
        expected = model.decode(torch.tensor([[0.5, -1.25]])).sigmoid().view(28, 28) * 255
    assert (x, y) == (0.5, -1.25)
    assert np.abs(shades(digit) - expected.numpy()).max() < 12  # WebP


def test_a_drawn_digit_is_made_noisy_and_rebuilt(client):
    picture, buffer = Image.new("RGB", (280, 280), "white"), io.BytesIO()
    ImageDraw.Draw(picture).rectangle((10, 10, 49, 89), "black")  # 40 x 80: it becomes 10 x 20, in the middle
    picture.save(buffer, "PNG")
    client.predict("data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode(), api_name="/draw")
    clean, noisy, rebuilt = client.predict(0.0, api_name="/denoise")
    expected = np.zeros((28, 28), int)
    expected[4:24, 9:19] = 255
    assert np.abs(shades(clean) - expected).mean() < 3
    assert noisy["label"] == "Noisy: PSNR 100.0 dB"
    assert rebuilt["label"].startswith("Rebuilt: PSNR ")


def test_framed_by_hand():
    white = Image.new("RGB", (100, 200), "white")
    ImageDraw.Draw(white).rectangle((20, 50, 39, 89), "black")
    digit, garment = parts.framed(white, parts.DIGIT), parts.framed(white, parts.GARMENT)
    assert (digit.shape, digit.dtype) == ((1, 28, 28), torch.uint8)
    assert [int(line) for line in (digit[0] > 200).any(0).nonzero()] == list(range(9, 19))
    assert [int(line) for line in (garment[0] > 200).any(0).nonzero()] == list(range(7, 21))
    assert torch.equal(parts.framed(ImageOps.invert(white), parts.DIGIT), digit), "light on dark is the same thing"
    with pytest.raises(UserError, match="one colour"):
        parts.framed(Image.new("RGB", (9, 9), "red"), parts.DIGIT)


def test_the_true_class_is_blue_and_a_wrong_prediction_red(client):
    sure = torch.tensor([0.0] * 7 + [0.75, 0.25, 0.0])
    for truth, colors in ((7, {7: BLUE}), (8, {7: RED, 8: BLUE}), (None, {7: ORANGE})):
        rows = bars(sure, truth).split('<div class="bar">')[1:]
        assert [row.count(colors.get(label, GREY)) for label, row in enumerate(rows)] == [1] * 10
    seen, first, second = client.predict(3, None, "main network", "wide", api_name="/classify")
    assert seen["label"] == "true: Dress"  # the fourth bar
    assert first != second
    assert all(chart.count(BLUE) == 1 for chart in (first, second))


def test_gatys_shows_every_ten_iterations_one_run_at_a_time_and_stops(lab, client, painting):
    given = [handle_file(str(painting)), handle_file(str(painting)), *GATYS.values()]
    long = client.submit(*given[:-1], 300, api_name="/gatys")
    while not any(isinstance(said, str) for _, said in long.outputs()) and not long.done():
        time.sleep(0.1)
    other = lab.client().submit(*given, api_name="/gatys")
    while other.status().rank is None and not other.outputs() and not other.done():
        time.sleep(0.1)
    assert not other.outputs()
    assert other.status().rank == 0, "it knows its place in the queue"
    long.cancel()
    shown = other.outputs() or (other.result(60) and other.outputs())
    told = [said.split(":")[0] for _, said in shown if isinstance(said, str)]  # between them, nothing new
    assert told == ["iteration 10 of 20", "iteration 20 of 20"]
    with pytest.raises(AppError, match="tick at least one"):
        client.predict(*given[:2], [], [], 128, 20, api_name="/gatys")


def test_what_is_not_trained_is_said_with_the_command(workdir):
    quick.write_params(workdir, SMALL)
    blocks = page.build(load_params()).config["components"]
    said = " ".join(str(block.get("props", {}).get("value")) for block in blocks)
    for stage in ("fetch_pictures", "adain_train", "autoencoder_train@autoencoder", "autoencoder_train@denoiser",
                  "fashion_train fashion_variants"):  # fmt: skip
        assert f"`dvc repro {stage}`" in said


def test_both_languages_say_the_same_things():
    table = yaml.safe_load(Path(parts.__file__).with_name("texts.yaml").read_text(encoding="utf-8"))
    for key, said in table.items():
        assert set(said) == {"en", "zh"}, key
        assert Counter(re.findall("{.*?}", said["en"])) == Counter(re.findall("{.*?}", said["zh"])), key
    assert parts.texts("zh")("losses", 1, 2, 3.0, 4.0) == "第 1/2 次迭代：迭代前加权的内容损失 3，风格损失 4"


def test_the_page_is_built_in_chinese(lab, tmp_path):
    params = load_params(quick.write_params(tmp_path, {**SMALL, "report.language": "zh"}))
    said = str(page.build(params).get_config_file())
    assert "风格迁移" in said
    assert "Style transfer" not in said


@pytest.mark.parametrize(("host", "port"), [("192.0.2.1", None), ("no.such.host.invalid", None), ("127.0.0.1", 99999)])
def test_an_address_that_cannot_be_listened_at_is_one_line_at_once(tmp_path, host, port):
    with pytest.raises(UserError, match=rf"^--host {host}.*; give an address of this machine and a free port$"):
        page.start(tmp_path, host, port)
