"""What both small networks share: a training that diverges, and the file of what was trained."""

import math
from pathlib import Path

import pandas as pd
import pytest
import torch

from nnlab.autoencoder.model import build
from nnlab.errors import UserError
from nnlab.params import AutoencoderParams, DenoiserParams, HardwareParams
from nnlab.training.loop import load, save, train_and_save
from nnlab.training.state import save_tensors
from tests.autoencoder.test_train import noisy_settings, settings
from tests.datasets import write_bars

HISTORY = pd.DataFrame([{"epoch": 1, "train_loss": 0.5, "test_loss": 1 / 3}])


def test_a_saved_network_is_read_back_and_equal_ones_are_equal_files(tmp_path: Path) -> None:
    wanted = noisy_settings()
    network = build(wanted)
    for name in ("a", "b"):
        save(tmp_path / name, network, wanted, HISTORY)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    read, read_settings, history = load(tmp_path / "a", "denoiser", DenoiserParams, build)
    assert read_settings == wanted
    pd.testing.assert_frame_equal(history, HISTORY)
    images = torch.rand(2, 784)
    assert torch.equal(read(images), network(images))


@pytest.mark.parametrize("metadata", [None, {"settings": "{}", "history": "[]"}, {"settings": "[", "history": "["}])
def test_a_foreign_file_is_named(tmp_path: Path, metadata: dict[str, str] | None) -> None:
    save_tensors(tmp_path / "f", {"x": torch.zeros(1)}, metadata)
    with pytest.raises(UserError, match="f: no denoiser of this project") as caught:
        load(tmp_path / "f", "denoiser", DenoiserParams, build)
    assert "\n" not in str(caught.value)


def test_a_denoiser_is_no_autoencoder(tmp_path: Path) -> None:
    save(tmp_path / "m", build(noisy_settings()), noisy_settings(), HISTORY)
    with pytest.raises(UserError, match="m: no autoencoder of this project"):
        load(tmp_path / "m", "autoencoder", AutoencoderParams, build)


def test_a_training_that_diverges_says_whose_it_is_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_bars(tmp_path / "raw", 20, 10)

    def train(data, test, settings, device, precision, after_epoch):
        after_epoch({"epoch": 1, "train_loss": 0.5, "test_loss": 0.5})
        after_epoch({"epoch": 2, "train_loss": 0.5, "test_loss": math.nan})

    hardware = HardwareParams(device="cpu", precision="float32")
    with pytest.raises(UserError, match=r"^denoiser: the loss is not finite after epoch 2; lower its learning_rate$"):
        train_and_save("denoiser", train, tmp_path / "raw", settings(), hardware, tmp_path / "model")
    assert not (tmp_path / "model").exists()
