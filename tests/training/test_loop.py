"""What both small networks share: the file of what was trained, and a training that diverges."""

import math
from pathlib import Path

import pytest
import torch

from nnlab.autoencoder.model import build
from nnlab.data.idx import load_split
from nnlab.errors import UserError
from nnlab.params import DenoiserParams, HardwareParams
from nnlab.training.loop import epoch_batches, load, train_and_save
from tests.autoencoder.test_train import noisy_settings
from tests.datasets import write_bars


@pytest.fixture
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_bars(Path("raw"), 20, 10)


def write(path: str, *losses: float) -> None:
    """What a denoiser's training writes that learns nothing, and whose losses were these after its epochs."""
    left = iter([loss for loss in losses for _ in range(2)])

    def prepare(data, settings, device, precision):
        network = build(settings)
        return (
            network,
            lambda batch, epoch, step: 0 * network(torch.zeros(1, 784)).sum(),
            lambda *_: {"loss": next(left)},
        )

    settings = noisy_settings(epochs=len(losses))
    hardware = HardwareParams(device="cpu", precision="float32")
    splits = (load_split(Path("raw"), split) for split in ("train", "test"))
    train_and_save("denoiser", prepare, *splits, settings, hardware, Path(path))


@pytest.mark.usefixtures("_project")
def test_a_saved_network_is_read_back_and_equal_ones_are_equal_files() -> None:
    write("a", 0.5, 1 / 3)
    write("b", 0.5, 1 / 3)
    assert Path("a").read_bytes() == Path("b").read_bytes()
    read, settings, history = load(Path("a"), DenoiserParams, build)
    assert settings == noisy_settings(epochs=2)
    assert history.to_dict("list") == {"epoch": [1, 2], "train_loss": [0.5, 1 / 3], "test_loss": [0.5, 1 / 3]}
    images = torch.rand(2, 784)
    assert torch.equal(read(images), build(settings)(images))


@pytest.mark.usefixtures("_project")
def test_a_training_that_diverges_says_whose_it_is_and_writes_nothing() -> None:
    with pytest.raises(UserError, match=r"^denoiser: the loss is not finite after epoch 2; lower its learning_rate$"):
        write("model", 0.5, math.nan)
    assert not Path("model").exists()


def test_an_epoch_is_a_permutation_by_seed_and_epoch_alone_cut_into_batches() -> None:
    batches = epoch_batches(10, 4, seed=1, epoch=3)
    assert [len(batch) for batch in batches] == [4, 4, 2]
    order = torch.cat(batches).tolist()
    assert sorted(order) == list(range(10))
    assert torch.cat(epoch_batches(10, 3, 1, 3)).tolist() == order  # the batch size only cuts it
    assert torch.cat(epoch_batches(10, 4, 1, 4)).tolist() != order
    assert torch.cat(epoch_batches(10, 4, 2, 3)).tolist() != order
