"""The classifier: its section, layers and inputs; it learns, and mirrors what it says it mirrors."""

import pytest
import torch
import yaml

from nnlab.errors import UserError
from nnlab.fashion.model import build
from nnlab.fashion.train import accuracy, predict, prepare
from nnlab.params import FashionParams, NetworkParams
from nnlab.sections import parse
from nnlab.training.loop import fit
from tests.datasets import bars
from tests.quick import ROOT

CPU, FLOAT = torch.device("cpu"), torch.float32


def settings(**changes) -> NetworkParams:
    values = {"hidden": [4], "convolutions": [], "epochs": 1, "batch_size": 8, "learning_rate": 0.01,
              "weight_decay": 0.0, "augment_flip": False, "seed": 3, **changes}  # fmt: skip
    return NetworkParams(**values)


# ---- the section ----


def section(**changes: object) -> dict:
    """The committed section with keys of `network`, `training` or its own changed."""
    values = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))["fashion"]
    for key, value in changes.items():
        next((part for part in (values["network"], values["training"]) if key in part), values)[key] = value
    return values


def test_a_variant_has_its_own_layers_and_the_training_of_the_section() -> None:
    variants = {"linear": {"hidden": []}, "long": {"hidden": [7], "epochs": 9}}
    changed = section(hidden=[99], convolutions=[[3]], epochs=4, learning_rate=0.5, variants=variants)
    parsed = parse(changed, FashionParams, "x")
    linear, long = parsed.variants["linear"], parsed.variants["long"]
    assert (linear.hidden, linear.convolutions, linear.epochs, linear.learning_rate) == ([], [], 4, 0.5)
    assert (long.hidden, long.convolutions, long.epochs) == ([7], [], 9)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"convolutions": [[]]}, r"convolutions.0 = \[\]: .*at least 1"),
        ({"convolutions": [[1]] * 5}, r"convolutions = .*at most 4"),
        ({"variants": {"a b": {"hidden": []}}}, r"variants.*a b"),
        ({"variants": {"wide": {"hiden": [1]}}}, r"variants.wide.hiden is not a known key"),
        ({"variants": {"wide": None}}, r"variants.wide = None"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(changes: dict, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        parse(section(**changes), FashionParams, "x")
    assert "\n" not in str(caught.value)


# ---- the network ----


@pytest.mark.parametrize(
    ("hidden", "convolutions", "parameters"),
    [
        ([], [], 784 * 10 + 10),
        ([256, 128], [], 784 * 256 + 256 + 256 * 128 + 128 + 128 * 10 + 10),
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


# ---- the training ----


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_it_learns_what_can_be_learnt(precision: torch.dtype) -> None:
    images, labels = bars(100, seed=9)
    wanted = settings(hidden=[16], epochs=4, learning_rate=0.02)
    network, history = fit(prepare, bars(400), (images, labels), wanted, CPU, precision)
    right = accuracy(predict(network, images, precision), labels)
    assert right > 0.95
    assert accuracy(torch.eye(10)[[0, 0, 1, 2]], torch.tensor([0, 1, 1, 2])) == 0.75  # by hand
    assert history["test_accuracy"].tolist()[-1] == right
    assert history["epoch"].tolist() == [1, 2, 3, 4]


def test_the_curves_judge_as_many_training_as_test_images() -> None:
    data, test = bars(20), bars(4, seed=1)
    network, history = fit(prepare, data, test, settings(), CPU, FLOAT)
    for name, (images, labels) in {"train": (data[0][:4], data[1][:4]), "test": test}.items():
        scores = predict(network, images, FLOAT)
        assert history[f"{name}_accuracy"].tolist() == [accuracy(scores, labels)]
        expected = -scores.log_softmax(1)[range(4), labels].mean().item()
        assert history[f"{name}_loss"].tolist() == pytest.approx([expected], rel=1e-6)


def test_in_two_epochs_every_image_is_seen_both_ways_round() -> None:
    data, seen, chosen = bars(100), [], torch.arange(100)
    network, loss, _ = prepare(data, settings(augment_flip=True), CPU, FLOAT)
    network.register_forward_pre_hook(lambda network, inputs: seen.append(inputs[0]))
    for epoch in range(3):
        loss(chosen, epoch, epoch)
    plain = network.inputs(data[0])
    mirrored = (seen[0] == plain.flip(-1)).flatten(1).all(1)
    assert 30 < mirrored.sum() < 70
    assert torch.equal(seen[0][~mirrored], plain[~mirrored])
    assert torch.equal(seen[1], seen[0].flip(-1))
    assert torch.equal(seen[2], seen[0])
