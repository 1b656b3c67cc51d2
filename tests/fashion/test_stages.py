"""The three stages on a tiny data set, from files to figures."""

import csv
import importlib
import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from nnlab.data.idx import load_split
from nnlab.fashion.evaluate import judge
from nnlab.fashion.figures import draw
from nnlab.params import load_params
from tests import quick
from tests.datasets import write_bars

FIGURES = {"samples", "prediction_right", "prediction_wrong", "predictions", "per_class", "accuracy", "confusion",
           "variants"}  # fmt: skip


def stage(name: str, *paths: Path) -> None:
    importlib.import_module(f"stages.{name}").main(*paths)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train and evaluate once."""
    folder = tmp_path_factory.mktemp("fashion")
    write_bars(folder / "raw")
    params = folder / "params.yaml"
    params.write_bytes((quick.ROOT / "params.yaml").read_bytes())
    variants = {"linear": {"hidden": []}, "cnn": {"convolutions": [[2], [2]], "augment_flip": True}}
    quick.override(
        params, {"fashion.training.epochs": 2, "fashion.training.batch_size": 20, "fashion.variants": variants}
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        stage("fashion_train", folder / "raw", folder / "model", params)
        stage("fashion_variants", folder / "raw", folder / "variants", params)
        stage("fashion_evaluate", folder / "raw", folder / "model", folder / "variants", folder / "fashion.json",
              folder / "variants.json", folder / "summary.json", folder / "plots", params)  # fmt: skip
    return folder


def test_tables_and_metrics_agree(results: Path) -> None:
    metrics = json.loads((results / "fashion.json").read_text())
    pairs = rows(results / "plots/confusion.csv")
    right = sum(row["actual"] == row["predicted"] for row in pairs)
    assert metrics["test_images"] == len(pairs) == 100
    assert metrics["test_accuracy"] == right / 100
    curve = rows(results / "plots/accuracy.csv")
    assert list(curve[0]) == ["epoch", "train_accuracy", "test_accuracy", "train_loss", "test_loss"]
    assert [row["epoch"] for row in curve] == ["1", "2"]
    assert float(curve[-1]["test_accuracy"]) == metrics["test_accuracy"]
    classes = {row["class"]: float(row["accuracy"]) for row in rows(results / "plots/per_class.csv")}
    assert classes == metrics["per_class"]
    assert sum(classes.values()) / 10 == pytest.approx(metrics["test_accuracy"])  # ten images of each class
    assert metrics["parameters"] == 784 * 128 + 128 + 1280 + 10


def test_every_variant_is_there(results: Path) -> None:
    metrics = json.loads((results / "variants.json").read_text())
    table = {row["variant"]: float(row["test_accuracy"]) for row in rows(results / "plots/variants.csv")}
    assert set(metrics) == {"linear", "cnn"}
    assert table == {name: values["test_accuracy"] for name, values in metrics.items()}
    assert {path.stem for path in (results / "variants").iterdir()} == {"linear", "cnn"}


def test_every_figure_is_a_picture(results: Path) -> None:
    assert {path.stem for path in (results / "plots").glob("*.png")} == FIGURES
    assert {path.suffix for path in (results / "plots").iterdir()} == {".png", ".csv"}
    for path in (results / "plots").glob("*.png"):
        with Image.open(path) as image:
            assert min(image.size) > 200
            assert len(set(image.convert("L").get_flattened_data())) > 10, f"{path} is empty"


def test_tensorboard_has_the_curves(results: Path) -> None:
    for run in ("fashion", "fashion_variants/linear", "fashion_variants/cnn"):
        events = EventAccumulator(str(results / "runs" / run))
        events.Reload()
        assert set(events.Tags()["scalars"]) == {f"{k}/{s}" for k in ("accuracy", "loss") for s in ("train", "test")}
        assert [event.step for event in events.Scalars("accuracy/test")] == [1, 2]


def test_a_network_without_wrong_predictions_can_be_drawn(results: Path, tmp_path: Path) -> None:
    """The labels are what it says."""
    images, _ = load_split(results / "raw", "test")
    hardware = load_params(results / "params.yaml").hardware
    said = judge(results / "model", (images, torch.zeros(100, dtype=torch.int64)), hardware).predicted
    judged = judge(results / "model", (images, torch.from_numpy(said)), hardware)
    assert judged.metrics["test_accuracy"] == 1
    draw(images.numpy(), judged, {"only": judged}, tmp_path / "plots")
    assert {path.stem for path in (tmp_path / "plots").glob("*.png")} == FIGURES
