"""What the small networks share: the training, and the file of what was trained."""

import math
from functools import partial
from pathlib import Path

import pytest
import torch

from nnlab.autoencoder import train as autoencoder
from nnlab.autoencoder.model import build
from nnlab.errors import UserError
from nnlab.fashion import train as fashion
from nnlab.params import DenoiserParams, HardwareParams, TrainingParams
from nnlab.training.loop import fit, load, one_cycle, train_and_save
from tests.autoencoder.test_train import noisy_settings, settings
from tests.datasets import bars
from tests.fashion.test_train import settings as classifier

pytestmark = pytest.mark.usefixtures("workdir")
CPU, FLOAT = torch.device("cpu"), torch.float32
DATA, TEST = bars(100), bars(20)
CNN = classifier(convolutions=[[2], [3, 3]], augment_flip=True, epochs=2)


def weights(wanted: TrainingParams, test=TEST, **changes) -> dict[str, torch.Tensor]:
    """Of the network that is trained by these settings, with changes."""
    prepare = fashion.prepare if hasattr(wanted, "augment_flip") else autoencoder.prepare
    return fit(prepare, DATA, test, wanted.model_copy(update=changes), CPU, FLOAT)[0].state_dict()


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[key], other[key]) for key in one)


def write(path: Path, prepare=autoencoder.prepare) -> None:
    hardware = HardwareParams(device="cpu", precision="float32")
    train_and_save("denoiser", prepare, DATA, TEST, noisy_settings(epochs=2), hardware, path)


def test_a_saved_network_is_read_back_and_equal_trainings_are_equal_files() -> None:
    write(Path("a"))
    write(Path("b"))
    assert Path("a").read_bytes() == Path("b").read_bytes()
    network, read, history = load(Path("a"), DenoiserParams, build)
    trained, expected = fit(autoencoder.prepare, DATA, TEST, noisy_settings(epochs=2), CPU, FLOAT)
    assert equal(network.state_dict(), trained.state_dict())
    assert read == noisy_settings(epochs=2)
    assert history.equals(expected)
    assert list(history) == ["epoch", "train_loss", "test_loss"]


def test_a_training_that_diverges_says_whose_it_is_and_writes_nothing() -> None:
    left = iter([0.5, 0.5, 0.5, math.nan])

    def prepare(*given):
        network, loss, _ = autoencoder.prepare(*given)
        return network, loss, lambda images, labels: {"loss": next(left)}

    with pytest.raises(UserError, match=r"^denoiser: the loss is not finite after epoch 2; lower its learning_rate$"):
        write(Path("model"), prepare)
    assert not Path("model").exists()


@pytest.mark.parametrize("wanted", [classifier(epochs=2), CNN, settings(epochs=2), noisy_settings(epochs=2)])
def test_the_same_seed_gives_the_same_network_and_another_seed_another(wanted: TrainingParams) -> None:
    torch.manual_seed(1)
    first = weights(wanted)
    torch.manual_seed(2)
    assert equal(first, weights(wanted))
    other, key = weights(wanted, seed=4), [name for name in first if name.endswith("weight")][-1]
    assert not torch.equal(first[key], other[key])


def test_the_test_set_is_only_looked_at() -> None:
    assert equal(weights(CNN, bars(50, seed=5)), weights(CNN, bars(10, seed=6)))


@pytest.mark.parametrize(
    "changes", [{"weight_decay": 1.0}, {"learning_rate": 0.1}, {"batch_size": 16}, {"augment_flip": True}]
)
def test_every_setting_of_the_training_is_used(changes: dict) -> None:
    assert not equal(weights(classifier(), **changes), weights(classifier()))


def test_an_epoch_shows_every_image_once_in_an_order_by_seed_and_epoch_alone_cut_into_batches() -> None:
    def batches(**changes) -> list[torch.Tensor]:
        seen = []

        def prepare(*given):
            network, loss, measure = autoencoder.prepare(*given)
            return network, lambda batch, *at: (seen.append(batch), loss(batch, *at))[1], measure

        fit(prepare, bars(10), bars(2), settings(epochs=2, **changes), CPU, FLOAT)
        return seen

    found = batches(batch_size=4)
    assert [len(batch) for batch in found] == [4, 4, 2] * 2
    first, second = (torch.cat(found[start : start + 3]).tolist() for start in (0, 3))
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second
    assert torch.cat(batches(batch_size=5)).tolist() == first + second  # the batch size only cuts it
    assert torch.cat(batches(batch_size=5, seed=9)[:2]).tolist() != first


@pytest.mark.parametrize(("images", "batch_size"), [(5, 4), (5, 2), (6, 4)])
def test_a_last_batch_of_one_image_is_left_out(images: int, batch_size: int) -> None:
    """Batch normalisation of 1x1 maps cannot take one: `[[2]] * 4` halves 28 pixels to 1."""
    wanted = classifier(convolutions=[[2]] * 4, epochs=2, batch_size=batch_size)
    network, _ = fit(fashion.prepare, bars(images), bars(5), wanted, CPU, FLOAT)
    counts = [int(value) for name, value in network.state_dict().items() if name.endswith("num_batches_tracked")]
    assert counts == [2 * (images // batch_size + (images % batch_size > 1))] * 4


def test_one_cycle_rises_to_one_at_a_fifth_and_falls_to_almost_nothing() -> None:
    assert [one_cycle(step, 10) for step in (0, 1, 2, 9)] == pytest.approx([0.25, 0.75, 0.75 / 0.8, 0.05 / 0.8])
    assert max(map(partial(one_cycle, steps=1000), range(1000))) == pytest.approx(1.0, abs=0.01)
    assert 0 < one_cycle(0, 1) <= 1
