"""Layers and inputs."""

import pytest
import torch

from nnlab.fashion.model import build
from nnlab.params import NetworkParams


def settings(**changes) -> NetworkParams:
    values = {"hidden": [4], "convolutions": [], "epochs": 1, "batch_size": 8, "learning_rate": 0.01,
              "weight_decay": 0.0, "augment_flip": False, "seed": 3, **changes}  # fmt: skip
    return NetworkParams(**values)


@pytest.mark.parametrize(
    ("hidden", "convolutions", "parameters"),
    [
        ([], [], 784 * 10 + 10),
        ([128], [], 784 * 128 + 128 + 128 * 10 + 10),
        ([256, 128], [], 784 * 256 + 256 + 256 * 128 + 128 + 128 * 10 + 10),
        ([], [[2]], 2 * 9 + 2 * 2 + 2 * 14 * 14 * 10 + 10),
        ([5], [[2], [3, 3], [4], [4]], (2 * 9 + 4) + (2 * 27 + 6) + (3 * 27 + 6) + (3 * 36 + 8) + (4 * 36 + 8)
         + 4 * 5 + 5 + 5 * 10 + 10),
    ],
)  # fmt: skip
def test_layers_are_those_asked_for(hidden: list[int], convolutions: list[list[int]], parameters: int) -> None:
    network = build(settings(hidden=hidden, convolutions=convolutions))
    assert sum(weights.numel() for weights in network.parameters()) == parameters
    assert network(torch.zeros(3, 1, 28, 28)).shape == (3, 10)


def test_inputs_by_hand() -> None:
    images = torch.zeros(2, 28, 28, dtype=torch.uint8)
    images[0, :, 0] = 255  # tones 1 in one column of one image: symmetric mean 0.25 in the first and last column
    network = build(settings())
    network.fit_inputs(images)
    assert network.mean[0, 0] == network.mean[0, -1] == 0.25
    assert network.mean[0, 1] == 0
    share = 28 / (2 * 784)  # of pixels with tone 1
    assert network.deviation.item() == pytest.approx((share * (1 - share) * 1568 / 1567) ** 0.5, rel=1e-5)
    inputs = network.inputs(images)
    assert inputs.shape == (2, 1, 28, 28)
    assert inputs[0, 0, 0, 0].item() == pytest.approx(0.75 / network.deviation.item())
    assert torch.allclose(network.inputs(images.flip(-1)), inputs.flip(-1))
    fifth = torch.full((1, 28, 28), 51, dtype=torch.uint8)  # and of 0.2 the root, before anything is fitted
    assert build(settings()).inputs(fifth)[0, 0, 0, 0].item() == pytest.approx(0.2**0.5)
