"""Sizes and colour preservation."""

import pytest
import torch
from torchvision.transforms.v2.functional import rgb_to_grayscale as luminance

from nnlab.gatys.pictures import Pictures, only_luminance, with_colors_of
from tests.gatys.conftest import picture


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_sizes_keep_the_aspect(scale: float) -> None:
    content, style = Pictures(picture(200, 100, 0), picture(90, 160, 1), scale).at(64)
    assert content.shape == (1, 3, 32, 64)
    assert style[0, 0].numel() == pytest.approx(32 * 64 * scale**2, rel=0.05)
    assert style.shape[3] / style.shape[2] == pytest.approx(90 / 160, rel=0.05)


def test_luminance_transfer_keeps_the_colours_of_the_content() -> None:
    content, style = torch.rand(2, 1, 3, 20, 30).mul(0.5).add(0.25).unbind()
    grey, matched = only_luminance(content, style)
    assert torch.equal(grey[:, 0], grey[:, 2])
    assert float(matched.mean()) == pytest.approx(float(grey.mean()), abs=1e-5)
    assert float(matched.std()) == pytest.approx(float(grey.std()), rel=1e-3)
    painted = with_colors_of(content, grey + 0.1)
    assert torch.allclose(painted, content + 0.1, atol=1e-4)  # differences of channels are the content's
    assert torch.allclose(luminance(painted), luminance(content) + 0.1, atol=1e-4)
    assert with_colors_of(content, grey + 3).max() == 1
