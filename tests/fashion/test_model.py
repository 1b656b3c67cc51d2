"""Layers, inputs, and the file that keeps them."""

from pathlib import Path

import pytest
import torch

from nnlab.errors import UserError
from nnlab.fashion.evaluate import Epoch
from nnlab.fashion.model import build
from nnlab.fashion.trained import Trained, load, save
from nnlab.params import NetworkParams
from nnlab.training.device import count_parameters
from nnlab.training.state import save_tensors


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
    network = build(hidden, convolutions, 0)
    assert count_parameters(network) == parameters
    assert network(torch.zeros(3, 1, 28, 28)).shape == (3, 10)


def test_each_group_ends_with_pooling_then_normalisation_then_relu() -> None:
    network = build([], [[2], [3, 2]], 0).eval()
    kinds = [type(layer).__name__ for layer in network.layers]
    block = ["Conv2d", "BatchNorm2d", "ReLU"]
    end = ["Conv2d", "MaxPool2d", "BatchNorm2d", "ReLU"]
    assert kinds == [*end, *block, *end, "Flatten", "Linear"]
    assert network(torch.randn(2, 1, 28, 28)).shape == (2, 10)


def test_weights_come_from_the_seed_alone() -> None:
    torch.manual_seed(1)
    first = build([4], [], 7).state_dict()
    torch.manual_seed(2)
    before = torch.get_rng_state()
    again, other = build([4], [], 7).state_dict(), build([4], [], 8).state_dict()
    assert torch.equal(before, torch.get_rng_state()), "the global generator was touched"
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["layers.1.weight"], other["layers.1.weight"])


def test_inputs_by_hand() -> None:
    images = torch.zeros(2, 28, 28, dtype=torch.uint8)
    images[0, :, 0] = 255  # tones 1 in one column of one image: symmetric mean 0.25 in the first and last column
    network = build([], [], 0)
    network.fit_inputs(images)
    assert network.mean[0, 0] == network.mean[0, -1] == 0.25
    assert network.mean[0, 1] == 0
    share = 28 / (2 * 784)  # of pixels with tone 1
    assert network.deviation.item() == pytest.approx((share * (1 - share) * 1568 / 1567) ** 0.5, rel=1e-5)
    inputs = network.inputs(images)
    assert inputs.shape == (2, 1, 28, 28)
    assert inputs[0, 0, 0, 0].item() == pytest.approx(0.75 / network.deviation.item())
    assert torch.allclose(network.inputs(images.flip(-1)), inputs.flip(-1))


def test_inputs_are_the_square_root_of_the_tone() -> None:
    images = torch.full((1, 28, 28), 51, dtype=torch.uint8)
    assert build([], [], 0).inputs(images)[0, 0, 0, 0].item() == pytest.approx(0.2**0.5)


def test_a_saved_network_answers_the_same_and_equal_ones_are_equal_files(tmp_path: Path) -> None:
    wanted = settings(convolutions=[[2]])
    network = build(wanted.hidden, wanted.convolutions, wanted.seed).eval()
    network.fit_inputs(torch.randint(0, 255, (5, 28, 28), dtype=torch.uint8))
    history = [Epoch(1, 0.5, 0.25, 1.0, 2.0)]
    for name in ("a", "b"):
        save(tmp_path / name, Trained(network, wanted, history))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    read = load(tmp_path / "a")
    assert (read.settings, read.history) == (wanted, history)
    images = torch.randint(0, 255, (3, 28, 28), dtype=torch.uint8)
    assert torch.equal(read.network.eval()(read.network.inputs(images)), network(network.inputs(images)))


@pytest.mark.parametrize("metadata", [None, {"settings": "{}", "history": "[]"}, {"settings": "[", "history": "["}])
def test_a_foreign_file_is_named(tmp_path: Path, metadata: dict[str, str] | None) -> None:
    save_tensors(tmp_path / "f", {"x": torch.zeros(1)}, metadata)
    with pytest.raises(UserError, match="f: not a classifier of this project") as caught:
        load(tmp_path / "f")
    assert "\n" not in str(caught.value)
