"""Training: it learns, it repeats itself, and it mirrors what it says it mirrors."""

import pytest
import torch

from nnlab.errors import UserError
from nnlab.fashion.evaluate import History, accuracy, predict
from nnlab.fashion.train import mirror, mirrors, train
from tests.datasets import bars
from tests.fashion.test_model import settings

CPU, FLOAT = torch.device("cpu"), torch.float32


def test_it_learns_what_can_be_learnt() -> None:
    network = train(*bars(400), settings(hidden=[16], epochs=4, learning_rate=0.02), CPU, FLOAT)
    images, labels = bars(100, seed=9)
    assert accuracy(predict(network, images, CPU, FLOAT), labels) > 0.95


@pytest.mark.parametrize("changes", [{}, {"convolutions": [[2], [3, 3]], "augment_flip": True}])
def test_the_same_seed_gives_the_same_network_and_another_seed_another(changes: dict) -> None:
    torch.manual_seed(1)
    first = train(*bars(100), settings(**changes, epochs=2), CPU, FLOAT).state_dict()
    torch.manual_seed(2)
    again = train(*bars(100), settings(**changes, epochs=2), CPU, FLOAT).state_dict()
    other = train(*bars(100), settings(**changes, epochs=2, seed=4), CPU, FLOAT).state_dict()
    assert all(torch.equal(first[key], again[key]) for key in first)
    key = [name for name in first if name.endswith("weight")][-1]
    assert not torch.equal(first[key], other[key])


def test_judging_after_each_epoch_does_not_change_the_training() -> None:
    """The test set is only looked at: the network is the same with and without."""
    data, test = bars(100), bars(50, seed=5)
    wanted = settings(convolutions=[[2]], epochs=2)
    plain = train(*data, wanted, CPU, FLOAT).state_dict()
    history = History(data, test, CPU, FLOAT)
    judged = train(*data, wanted, CPU, FLOAT, history.add).state_dict()
    assert all(torch.equal(plain[key], judged[key]) for key in plain)
    assert [row.epoch for row in history.epochs] == [1, 2]


def test_half_of_the_images_are_mirrored_then_the_others() -> None:
    first, second, third = (mirrors(1000, 3, epoch) for epoch in range(3))
    assert 400 < int(first.sum()) < 600
    assert torch.equal(second, ~first)
    assert torch.equal(third, first)
    assert not torch.equal(mirrors(1000, 4, 0), first)


def test_mirroring_turns_the_chosen_left_right() -> None:
    images = torch.arange(8.0).view(2, 1, 2, 2)
    assert mirror(images, torch.tensor([True, False])).flatten().tolist() == [1, 0, 3, 2, 4, 5, 6, 7]


def test_mirroring_is_part_of_the_training() -> None:
    wanted = settings(epochs=1)
    plain, mirrored = (train(*bars(100), wanted.model_copy(update={"augment_flip": on}), CPU, FLOAT) for on in (0, 1))
    assert not torch.equal(plain.layers[1].weight, mirrored.layers[1].weight)


def test_weight_decay_and_learning_rate_are_used() -> None:
    base = train(*bars(64), settings(), CPU, FLOAT).layers[1].weight
    for changes in ({"weight_decay": 1.0}, {"learning_rate": 0.1}, {"batch_size": 16}):
        assert not torch.equal(train(*bars(64), settings(**changes), CPU, FLOAT).layers[1].weight, base), changes


@pytest.mark.parametrize(("images", "batch_size"), [(5, 4), (5, 2), (6, 4)])
def test_a_last_batch_of_one_image_is_left_out(images: int, batch_size: int) -> None:
    """Batch normalisation of 1x1 maps cannot take one: `[[2]] * 4` halves 28 pixels to 1."""
    wanted = settings(convolutions=[[2]] * 4, epochs=2, batch_size=batch_size)
    seen = []
    network = train(*bars(images), wanted, CPU, FLOAT, lambda epoch, network: seen.append(epoch))
    assert seen == [1, 2]
    counts = [int(value) for name, value in network.state_dict().items() if name.endswith("num_batches_tracked")]
    assert counts == [2 * (images // batch_size + (images % batch_size > 1))] * 4


def test_a_training_that_diverges_says_so() -> None:
    data = bars(50)
    network = train(*data, settings(), CPU, FLOAT)
    with torch.no_grad():
        network.layers[1].bias.fill_(float("nan"))
    with pytest.raises(UserError, match="epoch 3; lower learning_rate"):
        History(data, data, CPU, FLOAT).add(3, network)
