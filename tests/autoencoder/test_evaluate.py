"""Measures, the latent plane and its figures: by hand."""

import math

import numpy as np
import pytest
import torch

from nnlab.autoencoder.evaluate import STEPS, decode_plane, psnr_db
from nnlab.autoencoder.figures import grid, latent
from nnlab.autoencoder.model import build
from nnlab.autoencoder.train import add_noise
from nnlab.figures import style
from tests.autoencoder.test_train import noisy_settings, settings


def test_psnr_by_hand() -> None:
    clean = torch.zeros(2, 784)
    images = torch.stack([torch.full((784,), 0.1), torch.full((784,), 0.01)])
    assert psnr_db(images, clean) == pytest.approx((20 + 40) / 2, abs=1e-4)
    assert psnr_db(clean, clean) == pytest.approx(100)


def test_clipped_noise_of_04_has_11_db() -> None:
    """On a picture as dark as a digit (a fifth of the pixels white)."""
    clean = (torch.arange(784).remainder(5) == 0).float().expand(2000, 784)
    noisy = add_noise(clean, noisy_settings(), "judge").clamp(0, 1)
    # Half of the variance 0.16 is cut, and what goes beyond 2.5 deviations: E[min(z, 2.5)^2, z > 0] = 0.4888.
    assert psnr_db(noisy, clean) == pytest.approx(-10 * math.log10(0.4888 * 0.16), abs=0.04)


def test_the_grid_has_uniform_steps_in_the_code_and_its_first_row_is_the_highest() -> None:
    assert np.diff(STEPS) == pytest.approx(np.full(19, 0.1))
    assert STEPS[[0, -1]] == pytest.approx([-0.95, 0.95])
    model = build(settings(hidden=[]))  # made to draw x as its first pixel and y as its second
    layer = model.decoder[0]
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.zero_()
        layer.weight[0, 0] = layer.weight[1, 1] = 1.0
    images = decode_plane(model)
    assert images.shape == (20, 20, 28, 28)
    tones = [round(255 / (1 + math.exp(-step))) for step in STEPS]
    assert (images[:, :, 0, 0] == tones).all()
    assert (images[:, :, 0, 1] == np.array(tones[::-1])[:, None]).all()


def test_scatter_and_grid_are_drawn_over_the_same_axes_in_values_of_the_code() -> None:
    codes = np.random.default_rng(0).uniform(-1, 1, size=(20, 2))
    with style():
        scatter = latent(codes, np.arange(20) % 10).axes[0]
        sheet = grid(np.zeros((20, 20, 28, 28), np.uint8)).axes[0]
    for axis in (scatter, sheet):
        assert (axis.get_xlim(), axis.get_ylim()) == ((-1, 1), (-1, 1))
        assert axis.get_xlabel() == "first number of the code"
        assert axis.get_ylabel() == "second number of the code"
    offsets = np.concatenate([points.get_offsets() for points in scatter.collections])
    assert sorted(map(tuple, offsets)) == sorted(map(tuple, codes))
