"""Sizes, levels, colour preservation."""

from pathlib import Path

import pytest
import torch

from nnlab.errors import UserError
from nnlab.gatys.pictures import (
    Pictures,
    check_side,
    level_sizes,
    luminance,
    only_luminance,
    read_pictures,
    upscaled,
    with_colors_of,
)
from tests.gatys.conftest import picture


def test_sizes_keep_the_aspect() -> None:
    pictures = Pictures(picture(200, 100, 0), picture(90, 160, 1), None)
    content = pictures.content_at(64)
    assert content.shape == (1, 3, 32, 64)
    for scale in (1.0, 2.0):
        style = pictures.style_at(content, scale)
        assert style[0, 0].numel() == pytest.approx(32 * 64 * scale**2, rel=0.05)
        assert style.shape[3] / style.shape[2] == pytest.approx(90 / 160, rel=0.05)


def test_the_start_has_the_size_of_the_content(tmp_path: Path) -> None:
    for name, seed in (("content", 0), ("style", 1), ("start", 2)):
        picture(80 + 16 * seed, 60, seed).save(tmp_path / f"{name}.png")
    files = tmp_path / "content.png", tmp_path / "style.png"
    pictures = read_pictures(*files, str(tmp_path / "start.png"))
    content = pictures.content_at(64)
    assert pictures.start_at(content).shape == content.shape
    assert not torch.equal(pictures.start_at(content), content)
    assert torch.equal(read_pictures(*files, "content").start_at(content), content)
    with pytest.raises(UserError, match=r"absent\.png"):
        read_pictures(*files, str(tmp_path / "absent.png"))


def test_coarse_levels_double_and_are_left_out_where_too_small() -> None:
    assert level_sizes(picture(400, 300, 0), 256, [10, 20]) == [(64, 10), (128, 20)]
    assert level_sizes(picture(400, 300, 0), 256, [10, 0]) == [(64, 10)]
    assert level_sizes(picture(400, 300, 0), 64, [10, 20]) == []
    assert level_sizes(picture(400, 300, 0), 256, []) == []


def test_a_side_that_is_too_short_names_the_file() -> None:
    with pytest.raises(UserError, match=r"thin\.png: 200x8 pixels.* at least 16"):
        check_side(torch.zeros(1, 3, 8, 200), Path("thin.png"), 16)
    check_side(torch.zeros(1, 3, 16, 200), Path("thin.png"), 16)


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
