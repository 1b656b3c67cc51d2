"""Measures, the latent plane and its figures: by hand."""

import math

import numpy as np
import pytest
import torch

from nnlab.autoencoder.evaluate import Plane, knn_accuracy, plane, psnr_db
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


def test_neighbours_by_hand() -> None:
    codes = np.array([[float(i // 10), 0.0] for i in range(20)])
    labels = np.array([3] * 10 + [7] * 10)
    test = np.array([[0.1, 0], [0.9, 0], [0.8, 0]])
    assert knn_accuracy(codes, labels, test, np.array([3, 7, 3])) == pytest.approx(2 / 3)


def decoder() -> torch.nn.Module:
    """One whose first pixel is x and whose second is y."""
    model = build(settings(hidden=[]))
    layer = model.decoder[0]
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.zero_()
        layer.weight[0, 0] = layer.weight[1, 1] = 1.0
    return model


def test_coordinates_by_hand() -> None:
    train_codes = np.array([[0.0, 5.0], [2.0, 5.0], [4.0, 5.0], [6.0, 5.0], [1000.0, 5.0]])
    codes = np.array([[4.0, 5.0], [8.0, 5.0], [996.0, 5.0]])
    found = plane(decoder(), codes, train_codes).codes  # centre 4; deviations 4, 2, 0, 2, 996: the median is 2
    assert found[:, 0] == pytest.approx([0, math.asinh(4), math.asinh(992)])
    assert found[:, 1].tolist() == [0, 0, 0]


def test_the_grid_covers_the_codes_without_the_outliers() -> None:
    codes = np.stack([np.linspace(-10, 10, 1001), np.linspace(0, 100, 1001)], 1)
    codes[0] = (-1e6, 1e6)
    train_codes = np.array([[0.0, 50.0], [2.0, 52.0], [-2.0, 48.0]])  # median deviations 2: scale 1
    found = plane(decoder(), codes, train_codes, points=3)
    assert np.sinh(found.xs) == pytest.approx([-9.9, 0, 9.9], abs=0.03)
    assert 50 + np.sinh(found.ys[[0, -1]]) == pytest.approx([0.6, 99.6], abs=0.05)


def test_the_first_row_of_the_grid_is_the_highest() -> None:
    train_codes = np.array([[0.0, 0.0], [2.0, 2.0], [-2.0, -2.0]])  # x is decoded at sinh(x)
    codes = np.array([[-500.0, -500.0], [500.0, 500.0]] * 100)
    images = plane(decoder(), codes, train_codes, points=3).images
    assert images.shape == (3, 3, 28, 28)
    assert images[:, :, 0, 0].tolist() == [[0, 128, 255]] * 3
    assert images[:, :, 0, 1].tolist() == [[255] * 3, [128] * 3, [0] * 3]


def test_the_figures_say_that_their_axes_are_asinh() -> None:
    axes = np.array([0.0, 1.0])
    codes = np.random.default_rng(0).normal(size=(20, 2))
    drawn = Plane(codes, axes, axes, np.zeros((2, 2, 28, 28), np.uint8))
    with style():
        for figure in (latent(drawn, np.arange(20) % 10), grid(drawn)):
            axis = figure.axes[0]
            assert all("asinh" in text for text in (axis.get_xlabel(), axis.get_ylabel(), axis.get_title()))


def test_numbers_in_the_scatter_keep_apart() -> None:
    """Twenty codes at two places: the digits' medians are the same, a hundredth of the plane apart."""
    codes = np.array([[0.0, 0.0], [0.01, 0.0]] * 10)
    codes[0] = (1.0, 1.0)
    axes = np.array([0.0, 1.0])
    with style():
        texts = latent(Plane(codes, axes, axes, np.empty(0)), np.arange(20) % 5).axes[0].texts
    places = np.array([text.get_position() for text in texts])
    near = np.abs(places[:, None] - places).max(2) < 0.05 - 1e-9
    assert near.sum() == len(places) == 5
