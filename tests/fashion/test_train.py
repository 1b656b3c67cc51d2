"""Training: it learns, it repeats itself, and it mirrors what it says it mirrors."""

from functools import partial

import pytest
import torch

from nnlab.fashion.train import accuracy, mirror, predict, prepare
from nnlab.training.loop import fit
from tests.datasets import bars
from tests.fashion.test_model import settings

CPU, FLOAT = torch.device("cpu"), torch.float32
train = partial(fit, prepare)


def weights(**changes) -> dict[str, torch.Tensor]:
    return train(bars(100), bars(20), settings(**changes), CPU, FLOAT)[0].state_dict()


def test_accuracy_by_hand() -> None:
    scores = torch.nn.functional.one_hot(torch.tensor([0, 0, 1, 2]), 10).float()
    assert accuracy(scores, torch.tensor([0, 1, 1, 2])) == 0.75


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_it_learns_what_can_be_learnt(precision: torch.dtype) -> None:
    images, labels = bars(100, seed=9)
    wanted = settings(hidden=[16], epochs=4, learning_rate=0.02)
    network, history = train(bars(400), (images, labels), wanted, CPU, precision)
    right = accuracy(predict(network, images, precision), labels)
    assert right > 0.95
    assert history["test_accuracy"].tolist()[-1] == right
    assert history["epoch"].tolist() == [1, 2, 3, 4]


def test_the_curves_judge_as_many_training_as_test_images() -> None:
    data, test = bars(20), bars(4, seed=1)
    network, history = train(data, test, settings(), CPU, FLOAT)
    for name, (images, labels) in {"train": (data[0][:4], data[1][:4]), "test": test}.items():
        scores = predict(network, images, FLOAT)
        assert history[f"{name}_accuracy"].tolist() == [accuracy(scores, labels)]
        expected = -scores.log_softmax(1)[range(4), labels].mean().item()
        assert history[f"{name}_loss"].tolist() == pytest.approx([expected], rel=1e-6)


@pytest.mark.parametrize("changes", [{}, {"convolutions": [[2], [3, 3]], "augment_flip": True}])
def test_the_same_seed_gives_the_same_network_and_another_seed_another(changes: dict) -> None:
    torch.manual_seed(1)
    first = weights(**changes, epochs=2)
    torch.manual_seed(2)
    again, other = weights(**changes, epochs=2), weights(**changes, epochs=2, seed=4)
    assert all(torch.equal(first[key], again[key]) for key in first)
    key = [name for name in first if name.endswith("weight")][-1]
    assert not torch.equal(first[key], other[key])


def test_the_test_set_is_only_looked_at() -> None:
    wanted = settings(convolutions=[[2]], epochs=2)
    one, another = (train(bars(100), test, wanted, CPU, FLOAT)[0] for test in (bars(50, seed=5), bars(10, seed=6)))
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), another.state_dict().values()))


def test_images_are_mirrored_left_right() -> None:
    images = torch.arange(8.0).view(2, 1, 2, 2)
    assert mirror(images, torch.tensor([True, False])).flatten().tolist() == [1, 0, 3, 2, 4, 5, 6, 7]


def test_in_two_epochs_every_image_is_seen_both_ways_round(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(
        "nnlab.fashion.train.mirror", lambda images, chosen: (seen.append(int(chosen.sum())), images)[1]
    )
    train(bars(100), bars(10), settings(epochs=2, batch_size=100, augment_flip=True), CPU, FLOAT)
    assert 30 < seen[0] < 70
    assert seen[1] == 100 - seen[0]


@pytest.mark.parametrize(
    "changes", [{"weight_decay": 1.0}, {"learning_rate": 0.1}, {"batch_size": 16}, {"augment_flip": True}]
)
def test_every_setting_of_the_training_is_used(changes: dict) -> None:
    assert not torch.equal(weights(**changes)["layers.1.weight"], weights()["layers.1.weight"])


@pytest.mark.parametrize(("images", "batch_size"), [(5, 4), (5, 2), (6, 4)])
def test_a_last_batch_of_one_image_is_left_out(images: int, batch_size: int) -> None:
    """Batch normalisation of 1x1 maps cannot take one: `[[2]] * 4` halves 28 pixels to 1."""
    wanted = settings(convolutions=[[2]] * 4, epochs=2, batch_size=batch_size)
    network, _ = train(bars(images), bars(5), wanted, CPU, FLOAT)
    counts = [int(value) for name, value in network.state_dict().items() if name.endswith("num_batches_tracked")]
    assert counts == [2 * (images // batch_size + (images % batch_size > 1))] * 4
