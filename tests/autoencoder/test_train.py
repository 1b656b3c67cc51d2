"""Layers, noise, training: by hand; it learns, the noise is fresh and the target clean."""

import math
from unittest.mock import Mock

import pytest
import torch

from nnlab.autoencoder import train as module
from nnlab.autoencoder.model import build
from nnlab.autoencoder.train import add_noise, bce, pixels, prepare
from nnlab.params import AutoencoderParams, DenoiserParams
from nnlab.training.loop import fit, in_chunks
from tests.datasets import bars

CPU, FLOAT = torch.device("cpu"), torch.float32
DATA, TEST = bars(100), bars(30)
IMAGES = pixels(DATA[0])


def settings(**changes) -> AutoencoderParams:
    values = {"hidden": [8], "epochs": 1, "batch_size": 20, "learning_rate": 0.01, "weight_decay": 0.0, "seed": 3}
    return AutoencoderParams(**{**values, **changes})


def noisy_settings(**changes) -> DenoiserParams:
    return DenoiserParams(**{**settings().model_dump(), "code": 4, "noise_factor": 0.4, **changes})


def test_the_stacks_mirror_each_other() -> None:
    model = build(settings(hidden=[5, 3]))
    forth, back = 784 * 5 + 5 * 3 + 3 * 2, 2 * 3 + 3 * 5 + 5 * 784
    assert sum(weights.numel() for weights in model.parameters()) == forth + 5 + 3 + 2 + back + 3 + 5 + 784
    assert model.encode(IMAGES).shape == (100, 2)
    assert torch.equal(model(IMAGES), model.decode(model.encode(IMAGES)))
    assert model(IMAGES).shape == (100, 784)
    assert build(noisy_settings()).encode(IMAGES).shape == (100, 4)


def test_a_code_of_two_numbers_is_the_asinh_of_linear_ones() -> None:
    model = build(settings(hidden=[]))
    model.encoder[0].weight.data.fill_(0.25)
    model.encoder[0].bias.data.copy_(torch.tensor([1.0, -8.0]))
    image = torch.zeros(1, 784)
    image[0, :2] = 1
    assert model.encode(image)[0].tolist() == pytest.approx([math.asinh(1.5), math.asinh(-7.5)])


def test_bce_by_hand() -> None:
    scores = torch.tensor([[0.0, math.log(3.0)]])  # sigmoids 1/2 and 3/4
    target = torch.tensor([[1.0, 0.25]])
    expected = (math.log(2) - 0.25 * math.log(0.75) - 0.75 * math.log(0.25)) / 2
    assert bce(scores, target).item() == pytest.approx(expected, rel=1e-6)


def test_noise_has_its_factor_and_its_stream() -> None:
    images = torch.full((200, 784), 0.5)
    noisy = add_noise(images, noisy_settings(), "noise", 1)
    assert (noisy - images).std().item() == pytest.approx(0.4, rel=0.01)
    assert noisy.mean().item() == pytest.approx(0.5, abs=0.01)
    assert noisy.min() < 0, "values are not cut"
    assert torch.equal(noisy, add_noise(images, noisy_settings(), "noise", 1))
    assert not torch.equal(noisy, add_noise(images, noisy_settings(), "noise", 2))
    assert not torch.equal(noisy, add_noise(images, noisy_settings(seed=9), "noise", 1))
    assert add_noise(images, noisy_settings(noise_factor=0.0), "noise", 1) is images
    assert add_noise(images, settings(), "noise", 1) is images


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_it_learns(precision: torch.dtype) -> None:
    model, history = fit(prepare, DATA, TEST, settings(epochs=30), CPU, precision)
    assert history["epoch"].tolist() == list(range(1, 31))
    assert bce(in_chunks(model, IMAGES), IMAGES) < 0.7 * bce(build(settings())(IMAGES), IMAGES)
    assert history["test_loss"].iloc[-1] == pytest.approx(bce(in_chunks(model, IMAGES[:30]), IMAGES[:30]).item())
    assert history["train_loss"].equals(history["test_loss"]), "the first images of both are the same here"


def test_noise_is_fresh_in_every_step_the_same_when_judged_and_the_target_is_clean(monkeypatch):
    noise, loss = Mock(wraps=add_noise), Mock(wraps=bce)
    monkeypatch.setattr(module, "add_noise", noise)
    monkeypatch.setattr(module, "bce", loss)
    fit(prepare, DATA, TEST, noisy_settings(epochs=2, batch_size=50), CPU, FLOAT)
    judge = [("judge",), ("judge",)]
    streams = [call.args[2:] for call in noise.call_args_list]
    assert streams == [("noise", 0), ("noise", 1), *judge, ("noise", 2), ("noise", 3), *judge]
    clean = {tuple(image.tolist()) for image in IMAGES}
    assert all(tuple(image.tolist()) in clean for call in loss.call_args_list for image in call.args[1])
