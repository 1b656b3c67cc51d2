"""The stages of the small networks on a tiny data set, from files to figures."""

import importlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from nnlab.autoencoder import model as autoencoder
from nnlab.autoencoder.train import pixels
from nnlab.data.idx import load_split
from nnlab.fashion.evaluate import judge
from nnlab.fashion.figures import draw
from nnlab.params import AutoencoderParams, load_params
from nnlab.training.loop import load
from tests import quick
from tests.datasets import write_bars

SMALL = {
    "fashion.variants": {"linear": {"hidden": []}, "cnn": {"convolutions": [[2], [2]], "augment_flip": True}},
    **{f"{section}.{key}": value for section in ("fashion.training", "autoencoder", "denoiser")
       for key, value in {"epochs": 2, "batch_size": 25}.items()},
    "fashion.network": {"hidden": [128], "convolutions": []}, "denoiser.noise_factor": 0.4,
    "autoencoder.hidden": [16], "denoiser.hidden": [16],
}  # fmt: skip
FIGURES = {
    "fashion": {"samples", "prediction_right", "prediction_wrong", "predictions", "per_class", "accuracy", "confusion",
                "variants"},
    "autoencoder": {"loss", "reconstructions", "latent", "grid"},
    "denoiser": {"loss", "digits"},
}  # fmt: skip


def stage(name: str, *arguments: str) -> None:
    importlib.import_module(f"stages.{name}").main(*arguments)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train and evaluate all of them once."""
    folder = tmp_path_factory.mktemp("small_networks")
    write_bars(folder / "raw")
    quick.write_params(folder, SMALL)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        stage("fashion_train", "raw", "fashion")
        stage("fashion_variants", "raw", "variants")
        stage("fashion_evaluate", "raw", "fashion", "variants", "fashion.json", "variants.json", "s", "plots/fashion")
        for name in ("autoencoder", "denoiser"):
            stage("autoencoder_train", name, "raw", name)
            outputs = [f"{name}.json", "s", f"plots/{name}", *(["results"] if name == "autoencoder" else [])]
            stage(f"{name}_evaluate", "raw", name, *outputs)
    return folder


def metrics(results: Path, name: str) -> dict:
    return json.loads((results / f"{name}.json").read_text(encoding="utf-8"))


def test_the_classifiers_tables_and_metrics_agree(results: Path) -> None:
    found, plots = metrics(results, "fashion"), results / "plots/fashion"
    pairs, curve = pd.read_csv(plots / "confusion.csv"), pd.read_csv(plots / "accuracy.csv")
    assert found["test_images"] == len(pairs) == 100
    assert found["test_accuracy"] == (pairs["actual"] == pairs["predicted"]).mean()
    assert list(curve) == ["epoch", "train_accuracy", "test_accuracy", "train_loss", "test_loss"]
    assert curve["epoch"].tolist() == [1, 2]
    assert curve["test_accuracy"].iloc[-1] == found["test_accuracy"]
    classes = pd.read_csv(plots / "per_class.csv", index_col="class")["accuracy"].to_dict()
    assert classes == found["per_class"]
    assert sum(classes.values()) / 10 == pytest.approx(found["test_accuracy"])  # ten images of each class
    assert found["parameters"] == 784 * 128 + 128 + 1280 + 10


def test_every_variant_is_there(results: Path) -> None:
    table = pd.read_csv(results / "plots/fashion/variants.csv", index_col="variant")["test_accuracy"].to_dict()
    assert table == {name: values["test_accuracy"] for name, values in metrics(results, "variants").items()}
    assert {path.stem for path in (results / "variants").iterdir()} == set(table) == {"linear", "cnn"}


def test_the_autoencoders_metrics_have_their_names_and_agree_with_the_curves(results: Path) -> None:
    found = {name: metrics(results, name) for name in ("autoencoder", "denoiser")}
    assert found["autoencoder"].keys() >= {"psnr_db", "epochs", "seed"}
    # the vote of the ten nearest codes of training images, counted by hand
    model = load(results / "autoencoder", AutoencoderParams, autoencoder.build)[0]
    (train, labels), (test, truth) = (load_split(results / "raw", split) for split in ("train", "test"))
    with torch.inference_mode():
        distances = torch.cdist(model.encode(pixels(test)).double(), model.encode(pixels(train)).double())
    votes = labels[distances.topk(10, largest=False).indices].mode().values
    assert found["autoencoder"]["knn_accuracy"] == pytest.approx((votes == truth).double().mean().item())
    assert found["denoiser"].keys() >= {"denoised_psnr_db", "noise_factor", "seed"}
    assert 9 < found["denoiser"]["noisy_psnr_db"] < 13
    for name, values in found.items():
        curve = pd.read_csv(results / f"plots/{name}/loss.csv")
        assert curve["epoch"].tolist() == [1, 2]
        assert curve["test_loss"].iloc[-1] == pytest.approx(values["test_bce"], rel=1e-5)


def test_the_report_gets_every_code_and_the_grid(results: Path) -> None:
    codes = pd.read_csv(results / "results/codes.csv")
    assert list(codes) == ["x", "y", "digit"]
    assert codes["digit"].tolist() == [i % 10 for i in range(100)]
    with np.load(results / "results/grid.npz", allow_pickle=False) as grid:
        assert grid["images"].dtype == np.uint8
        assert grid["images"].shape == (len(grid["ys"]), len(grid["xs"]), 28, 28)
        assert np.allclose(np.diff(grid["xs"], 2), 0)


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_a_picture(results: Path, name: str) -> None:
    files = list((results / "plots" / name).iterdir())
    assert {path.suffix for path in files} == {".png", ".csv"}
    pictures = {path.stem: path for path in files if path.suffix == ".png"}
    assert pictures.keys() == FIGURES[name]
    for path in pictures.values():
        with Image.open(path) as image:
            assert min(image.size) > 200
            assert len(image.convert("L").getcolors()) > 10, f"{path} is empty"


@pytest.mark.parametrize("run", ["fashion", "fashion_variants/linear", "fashion_variants/cnn"])
def test_tensorboard_has_the_curves(results: Path, run: str) -> None:
    events = EventAccumulator(str(results / "runs" / run)).Reload()
    assert set(events.Tags()["scalars"]) == {f"{k}/{s}" for k in ("accuracy", "loss") for s in ("train", "test")}
    assert [event.step for event in events.Scalars("accuracy/test")] == [1, 2]


def test_a_network_without_wrong_predictions_can_be_drawn(results: Path, tmp_path: Path) -> None:
    """The labels are what it says."""
    images, _ = load_split(results / "raw", "test")
    hardware = load_params(results / "params.yaml").hardware
    said = judge(results / "fashion", (images, torch.zeros(100, dtype=torch.int64)), hardware).predicted
    judged = judge(results / "fashion", (images, torch.from_numpy(said)), hardware)
    assert judged.metrics["test_accuracy"] == 1
    draw(images.numpy(), judged, {"only": judged}, tmp_path / "plots")
    assert {path.stem for path in (tmp_path / "plots").glob("*.png")} == FIGURES["fashion"]
