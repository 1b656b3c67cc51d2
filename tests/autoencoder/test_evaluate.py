"""Measures, the latent plane and its figures: by hand."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from nnlab.autoencoder.evaluate import Judged, decode_plane
from nnlab.autoencoder.figures import densest, grid, latent
from nnlab.autoencoder.model import build
from nnlab.autoencoder.train import add_noise
from nnlab.figures import style
from nnlab.measures import psnr_db
from tests.autoencoder.test_train import noisy_settings, settings


def test_psnr_by_hand() -> None:
    clean = torch.zeros(2, 784)
    images = torch.stack([torch.full((784,), 0.1), torch.full((784,), 0.01)])
    assert psnr_db(images.view(2, 1, 28, 28), clean.view(2, 1, 28, 28)) == pytest.approx((20 + 40) / 2, abs=1e-4)
    assert psnr_db(clean, clean) == pytest.approx(100)


def test_clipped_noise_of_04_has_11_db() -> None:
    """On a picture as dark as a digit (a fifth of the pixels white)."""
    clean = (torch.arange(784).remainder(5) == 0).float().expand(2000, 784)
    noisy = add_noise(clean, noisy_settings(), "judge").clamp(0, 1)
    # Half of the variance 0.16 is cut, and what goes beyond 2.5 deviations: E[min(z, 2.5)^2, z > 0] = 0.4888.
    assert psnr_db(noisy, clean) == pytest.approx(-10 * math.log10(0.4888 * 0.16), abs=0.04)


def judged(codes: np.ndarray) -> Judged:
    """Test images with these codes, by a model whose decoder draws x as its first pixel and y as its second."""
    model = build(settings(hidden=[]))
    model.decoder[0].weight.data = torch.eye(784, 2)
    model.decoder[0].bias.data.zero_()
    return Judged(model, {}, pd.DataFrame(), np.arange(len(codes)) % 10, codes, {})


def test_the_grid_has_uniform_steps_in_the_code_without_its_outliers_and_its_first_row_is_the_highest() -> None:
    codes = np.zeros((1000, 2))
    codes[:10] = (-2.4, 2.4)
    codes[:4] *= 1e6  # 8 of the 2,000 numbers, less than 0.5 %
    plane = decode_plane(judged(codes))
    assert plane.reach == 2.5
    assert np.diff(plane.steps) == pytest.approx(np.full(19, 0.25))
    assert plane.steps[[0, -1]] == pytest.approx([-2.375, 2.375])
    assert plane.images.shape == (20, 20, 28, 28)
    tones = [round(255 / (1 + math.exp(-step))) for step in plane.steps]
    assert (plane.images[:, :, 0, 0] == tones).all()
    assert (plane.images[:, :, 0, 1] == np.array(tones[::-1])[:, None]).all()


def test_scatter_and_grid_are_drawn_over_the_same_axes_in_values_of_the_code() -> None:
    found = judged(np.random.default_rng(0).uniform(-3, 3, size=(20, 2)))
    with style():
        scatter = latent(found.codes, found.labels, 3.0).axes[0]
        sheet = grid(decode_plane(found)).axes[0]
    for axis in (scatter, sheet):
        assert (axis.get_xlim(), axis.get_ylim()) == ((-3, 3), (-3, 3))
        assert axis.get_xlabel() == "first number of the code"
        assert axis.get_ylabel() == "second number of the code"
    assert "in steps of 0.3" in sheet.get_title()
    offsets = np.concatenate([points.get_offsets() for points in scatter.collections])
    assert sorted(map(tuple, offsets)) == sorted(map(tuple, found.codes))


def test_a_digit_of_two_clusters_is_named_at_the_denser_one():
    draws = np.random.default_rng(0)
    wide, dense = draws.normal(-3, 0.5, (60, 2)), draws.normal(3, 0.1, (60, 2))
    points = np.concatenate([wide, dense])
    assert densest(points) >= 60
    assert np.linalg.norm(points[densest(points)] - 3) < 0.2
    assert densest(points[:1]) == 0
