"""Sizes and colour preservation."""

from pathlib import Path

import pytest
import torch

from nnlab.errors import UserError
from nnlab.gatys.pictures import Pictures, luminance, only_luminance, read_pictures, upscaled, with_colors_of
from tests.gatys.conftest import make_job, picture


def test_sizes_keep_the_aspect() -> None:
    pictures = Pictures(picture(200, 100, 0), picture(90, 160, 1), None)
    content = pictures.content_at(64)
    assert content.shape == (1, 3, 32, 64)
    for scale in (1.0, 2.0):
        style = pictures.style_at(content, scale)
        assert style[0, 0].numel() == pytest.approx(32 * 64 * scale**2, rel=0.05)
        assert style.shape[3] / style.shape[2] == pytest.approx(90 / 160, rel=0.05)


def test_the_start_has_the_size_of_the_content(tmp_path: Path) -> None:
    paths = {name: str(tmp_path / f"{name}.png") for name in ("content", "style", "start")}
    for seed, path in enumerate(paths.values()):
        picture(80 + 16 * seed, 60, seed).save(path)
    pictures = read_pictures(make_job(**paths))
    content = pictures.content_at(64)
    assert pictures.start_at(content).shape == content.shape
    assert not torch.equal(pictures.start_at(content), content)
    assert torch.equal(read_pictures(make_job(**paths | {"start": "content"})).start_at(content), content)
    with pytest.raises(UserError, match=r"absent\.png"):
        read_pictures(make_job(**paths | {"start": str(tmp_path / "absent.png")}))


def test_luminance_transfer_keeps_the_colours_of_the_content() -> None:
    content, style = torch.rand(2, 1, 3, 20, 30).mul(0.5).add(0.25).unbind()
    grey, matched = only_luminance(content, style)
    assert torch.equal(grey[:, 0], grey[:, 2])
    assert float(matched.mean()) == pytest.approx(float(grey.mean()), abs=1e-5)
    assert float(matched.std()) == pytest.approx(float(grey.std()), rel=1e-3)
    painted = with_colors_of(content, grey + 0.1)
    assert torch.allclose(painted, content + 0.1, atol=1e-6)  # I and Q, differences of channels, are the content's
    assert torch.allclose(luminance(painted), luminance(content) + 0.1, atol=1e-6)
    assert with_colors_of(content, grey + 3).max() == 1


def test_upscaling_to_an_odd_size() -> None:
    assert upscaled(torch.full((1, 3, 12, 17), 0.4), torch.zeros(1, 3, 25, 33)).shape == (1, 3, 25, 33)
