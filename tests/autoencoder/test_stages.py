"""The four stages on a tiny data set, from files to figures."""

import csv
import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nnlab.autoencoder.model import build
from nnlab.autoencoder.train import pixels
from nnlab.data.idx import load_split
from nnlab.params import AutoencoderParams
from nnlab.training.loop import load
from tests import quick
from tests.datasets import write_bars


def stage(name: str, *paths: Path | str) -> None:
    importlib.import_module(f"stages.{name}").main(*paths)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train and evaluate both once."""
    folder = tmp_path_factory.mktemp("autoencoder")
    write_bars(folder / "raw")
    params = folder / "params.yaml"
    params.write_bytes((quick.ROOT / "params.yaml").read_bytes())
    small = {"hidden": [16], "epochs": 2, "batch_size": 30}
    quick.override(params, {f"{name}.{k}": v for name in ("autoencoder", "denoiser") for k, v in small.items()})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        stage("autoencoder_train", "autoencoder", folder / "raw", folder / "ae", params)
        stage("autoencoder_evaluate", folder / "raw", folder / "ae", folder / "ae.json", folder / "ae_summary.json",
              folder / "plots/ae", folder / "results")  # fmt: skip
        stage("autoencoder_train", "denoiser", folder / "raw", folder / "denoiser", params)
        stage("denoiser_evaluate", folder / "raw", folder / "denoiser", folder / "denoiser.json",
              folder / "denoiser_summary.json", folder / "plots/denoiser")  # fmt: skip
    return folder


def knn(results: Path) -> float:
    """The vote of the ten nearest codes of training images, counted by hand."""
    model = load(results / "ae", AutoencoderParams, build)[0]
    (train, labels), (test, truth) = (load_split(results / "raw", split) for split in ("train", "test"))
    with torch.inference_mode():
        distances = torch.cdist(model.encode(pixels(test)).double(), model.encode(pixels(train)).double())
    votes = labels[distances.topk(10, largest=False).indices]
    return (votes.mode().values == truth).double().mean().item()


def test_metrics_have_their_names_and_agree_with_the_curves(results: Path) -> None:
    autoencoder = json.loads((results / "ae.json").read_text())
    assert set(autoencoder) >= {"test_bce", "knn_accuracy", "epochs", "seed"}
    denoiser = json.loads((results / "denoiser.json").read_text())
    assert set(denoiser) >= {"noisy_psnr_db", "denoised_psnr_db", "test_bce", "noise_factor", "seed"}
    assert autoencoder["knn_accuracy"] == pytest.approx(knn(results))
    assert 9 < denoiser["noisy_psnr_db"] < 13
    for name, metrics in (("ae", autoencoder), ("denoiser", denoiser)):
        with (results / f"plots/{name}/loss.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["epoch"] for row in rows] == ["1", "2"]
        assert float(rows[-1]["test_loss"]) == pytest.approx(metrics["test_bce"], rel=1e-5)


def test_the_report_gets_every_code_and_the_grid(results: Path) -> None:
    with (results / "results/codes.csv").open(newline="") as file:
        codes = list(csv.DictReader(file))
    assert list(codes[0]) == ["x", "y", "digit"]
    assert [int(row["digit"]) for row in codes] == [i % 10 for i in range(100)]
    with np.load(results / "results/grid.npz", allow_pickle=False) as grid:
        assert grid["images"].dtype == np.uint8
        assert grid["images"].shape == (len(grid["ys"]), len(grid["xs"]), 28, 28)
        assert np.allclose(np.diff(grid["xs"], 2), 0)


def test_every_figure_is_a_picture(results: Path) -> None:
    figures = {p.relative_to(results / "plots").as_posix() for p in (results / "plots").rglob("*.png")}
    assert figures == {
        *(f"ae/{name}.png" for name in ("loss", "reconstructions", "latent", "grid")),
        "denoiser/loss.png",
        "denoiser/digits.png",
    }
    for path in (results / "plots").rglob("*.png"):
        with Image.open(path) as image:
            assert min(image.size) > 200
            assert len(set(image.convert("L").get_flattened_data())) > 10, f"{path} is empty"
