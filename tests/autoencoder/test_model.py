"""Layers, noise, measures, the latent plane: by hand."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from nnlab.autoencoder.figures import _apart, grid, latent, loss
from nnlab.autoencoder.latent import Plane, decode_grid, fit_plane, grid_axes
from nnlab.autoencoder.losses import bce
from nnlab.autoencoder.measures import knn_accuracy, psnr_db
from nnlab.autoencoder.model import build
from nnlab.autoencoder.noise import add_noise
from nnlab.autoencoder.train import Epoch
from nnlab.autoencoder.trained import load, save
from nnlab.errors import UserError
from nnlab.figures import style
from nnlab.params import AutoencoderParams, DenoiserParams
from nnlab.training.device import count_parameters


def settings(**changes) -> AutoencoderParams:
    values = {"hidden": [8], "epochs": 1, "batch_size": 20, "learning_rate": 0.01, "weight_decay": 0.0, "seed": 3}
    return AutoencoderParams(**{**values, **changes})


def noisy_settings(**changes) -> DenoiserParams:
    return DenoiserParams(**{**settings().model_dump(), "code": 4, "noise_factor": 0.4, **changes})


def test_the_stacks_mirror_each_other() -> None:
    model = build([5, 3], 2, 0)
    forth, back = 784 * 5 + 5 * 3 + 3 * 2, 2 * 3 + 3 * 5 + 5 * 784
    assert count_parameters(model) == forth + 5 + 3 + 2 + back + 3 + 5 + 784
    images = torch.rand(4, 784)
    codes = model.encode(images)
    assert codes.shape == (4, 2)
    assert torch.equal(model(images), model.decode(codes))
    assert model(images).shape == (4, 784)


def test_without_hidden_layers_it_is_linear() -> None:
    model = build([], 2, 0)
    a, b = torch.rand(1, 784), torch.rand(1, 784)
    assert torch.allclose(model((a + b) / 2), (model(a) + model(b)) / 2, atol=1e-5)


def test_bce_by_hand() -> None:
    scores = torch.tensor([[0.0, math.log(3.0)]])  # sigmoids 1/2 and 3/4
    target = torch.tensor([[1.0, 0.25]])
    expected = (math.log(2) - 0.25 * math.log(0.75) - 0.75 * math.log(0.25)) / 2
    assert bce(scores, target).item() == pytest.approx(expected, rel=1e-6)


def test_noise_has_its_factor_and_its_generator() -> None:
    images = torch.full((200, 784), 0.5)
    noise = add_noise(images, 0.4, torch.Generator().manual_seed(1)) - images
    assert noise.std().item() == pytest.approx(0.4, rel=0.01)
    assert noise.mean().item() == pytest.approx(0.0, abs=0.01)
    assert (noise + images).min() < 0, "values are not cut"
    again = add_noise(images, 0.4, torch.Generator().manual_seed(1)) - images
    assert torch.equal(noise, again)
    assert add_noise(images, 0, torch.Generator()) is images


def test_psnr_by_hand() -> None:
    clean = torch.zeros(2, 784)
    images = torch.stack([torch.full((784,), 0.1), torch.full((784,), 0.01)])
    assert psnr_db(images, clean) == pytest.approx((20 + 40) / 2, abs=1e-4)
    assert psnr_db(clean, clean) == pytest.approx(100)


def test_clipped_noise_of_04_has_11_db() -> None:
    """On a picture as dark as a digit (a fifth of the pixels white)."""
    clean = (torch.arange(784).remainder(5) == 0).float().expand(50, 784)
    noisy = add_noise(clean, 0.4, torch.Generator().manual_seed(1)).clamp(0, 1)
    # Half of the variance 0.16 is cut, and what goes beyond 2.5 deviations: E[min(z, 2.5)^2, z > 0] = 0.4888.
    assert psnr_db(noisy, clean) == pytest.approx(-10 * math.log10(0.4888 * 0.16), abs=0.02)


def test_neighbours_by_hand() -> None:
    codes = np.array([[float(i // 10), 0.0] for i in range(20)])
    labels = np.array([3] * 10 + [7] * 10)
    test = np.array([[0.1, 0], [0.9, 0], [0.8, 0]])
    assert knn_accuracy(codes, labels, test, np.array([3, 7, 3])) == pytest.approx(2 / 3)


def test_the_grid_covers_the_codes_without_the_outliers() -> None:
    codes = np.stack([np.linspace(-10, 10, 1001), np.linspace(0, 100, 1001)], 1)
    codes[0] = (-1e6, 1e6)
    xs, ys = grid_axes(codes, points=3)
    assert xs == pytest.approx([-9.9, 0, 9.9], abs=0.03)
    assert ys == pytest.approx([0.6, 50.1, 99.6], abs=0.05)


def test_coordinates_by_hand_and_back() -> None:
    codes = np.array([[0.0, 5.0], [2.0, 5.0], [4.0, 5.0], [6.0, 5.0], [1000.0, 5.0]])
    plane = fit_plane(codes)
    assert plane.centre.tolist() == [4, 5]
    assert plane.scale == pytest.approx([1.0, 1e-6])  # deviations 4, 2, 0, 2, 996: the median is 2
    drawn = plane.coordinates(codes)
    assert drawn[:, 0] == pytest.approx([math.asinh(x) for x in (-4, -2, 0, 2, 996)])
    assert plane.codes(drawn) == pytest.approx(codes)


def test_the_figures_say_that_their_axes_are_asinh_and_whose_loss_it_is() -> None:
    axes = np.array([0.0, 1.0])
    with style():
        scatter = latent(np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 10, axes, axes).axes[0]
        sheet = grid(np.zeros((2, 2, 28, 28), np.uint8), axes, axes).axes[0]
        curves = loss([Epoch(1, 0.5, 0.6)], "Loss", 10_000).axes[0]
    for axis in (scatter, sheet):
        assert "asinh" in axis.get_xlabel()
        assert "asinh" in axis.get_ylabel()
        assert "asinh" in axis.get_title()
    assert [text.get_text() for text in curves.get_legend().get_texts()] == [
        "first 10,000 training images", "10,000 test images"
    ]  # fmt: skip


def test_labels_of_the_scatter_keep_apart() -> None:
    gap = np.array([1.0, 1.0])
    placed = [np.array([0.0, 0.0]), np.array([0.5, -1.0])]
    assert _apart(np.array([3.0, 0.0]), placed, gap).tolist() == [3, 0]
    assert _apart(np.array([0.2, 0.1]), placed, gap).tolist() == pytest.approx([0.2, -2.15])


def test_equal_codes_do_not_hold_up_the_figure() -> None:
    codes = np.zeros((20, 2))
    with style():
        assert latent(codes, np.arange(20) % 10, np.array([0.0, 1.0]), np.array([0.0, 1.0]))


def test_the_first_row_of_the_grid_is_the_highest() -> None:
    """A decoder whose first pixel is x and whose second is y."""
    model = build([], 2, 0)
    layer = model.decoder[0]
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.zero_()
        layer.weight[0, 0] = layer.weight[1, 1] = 1.0
    plane = Plane(np.zeros(2), np.ones(2))  # x is decoded at sinh(x)
    pictures = decode_grid(model, plane, np.array([-5.0, 0.0, 5.0]), np.array([-5.0, 5.0]))
    assert pictures.shape == (2, 3, 28, 28)
    assert pictures[:, :, 0, 0].tolist() == [[0, 128, 255], [0, 128, 255]]
    assert pictures[:, :, 0, 1].tolist() == [[255] * 3, [0] * 3]


def test_a_saved_model_is_read_back(tmp_path: Path) -> None:
    wanted, history = noisy_settings(), [Epoch(1, 0.5, 0.6)]
    model = build(wanted.hidden, wanted.code, wanted.seed)
    for name in ("a", "b"):
        save(tmp_path / name, model, wanted, history)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    read, read_settings, read_history = load(tmp_path / "a", DenoiserParams)
    assert (read_settings, read_history) == (wanted, history)
    images = torch.rand(2, 784)
    assert torch.equal(read(images), model(images))


def test_a_denoiser_is_no_autoencoder(tmp_path: Path) -> None:
    wanted = noisy_settings()
    save(tmp_path / "m", build(wanted.hidden, wanted.code, 0), wanted, [Epoch(1, 0.5, 0.6)])
    with pytest.raises(UserError, match="m: not an autoencoder of this project"):
        load(tmp_path / "m", AutoencoderParams)
