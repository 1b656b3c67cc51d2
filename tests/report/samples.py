"""Result files of a whole run, made up: small, and with the names and columns of the real ones."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from ruamel.yaml import YAML

from nnlab.report.facts import RECORDS, gather
from tests import quick
from tests.quick import ROOT

PACKAGE = ROOT / "src/nnlab"
CLASSES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
JOBS = ("main", "layers")
# Settings that the results below are of; those of params.yaml may be a user's.
SETTINGS = YAML(typ="safe").load(Path(__file__).with_name("settings.yaml"))
FIGURES = re.findall(r'"(\w+/\w+\.png)"', (PACKAGE / "report/templates/en.j2").read_text(encoding="utf-8"))
FIGURES += [f"gatys/{job}_{kind}.png" for job in JOBS for kind in ("snapshots", "result", "losses")]


def facts(root: Path, changed: dict[str, Any] | None = None, **report: Any) -> dict[str, Any]:
    """What `make` put into `root`; `report` has other values of that section of params.yaml, `changed` of others."""
    own = {f"report.{key}": value for key, value in report.items()}
    params = quick.write_params(root, {**SETTINGS, **own, **(changed or {})})
    return gather(params, root / "metrics", root / "plots", root / "data")


def make(root: Path, side: int = 48, tests: int = 200) -> Path:
    """Fill root/{metrics,plots,data}, and return it; pictures have `side` pixels, tables `tests` rows."""
    rng = np.random.default_rng(0)
    _metrics(root / "metrics")
    _tables(root / "plots", rng, tests)
    for name in FIGURES:
        Image.new("RGB", (side * 4, side * 2), "white").save(root / "plots" / name)
    _pictures(root / "data/results", rng, side)
    _codes(root / "data/results/autoencoder", rng, tests)
    for kind in ("content", "style"):
        write_json(root / f"data/pools/{kind}/summary.json", {"images": 25, "left_out": {"tiny": 1}})
    records = {name: {"note": "as fetched", "stand_in": False, "files": {"a": "00" * 32}} for name in RECORDS}
    records["pair"] = {"note": "STAND-IN: a palace for cornell.jpg", "stand_in": True, "files": {"b": "11" * 32},
                       "replaced": {"content.jpg": "a palace in the place of cornell.jpg"}}  # fmt: skip
    for name, record in records.items():
        write_json(root / f"data/raw/{name}/provenance.json", {"name": name, **record})
    works = [["paintings/train/a.png", "no", "The Wave", "Hokusai", "1831", "WebMuseum", "GPL-3+"],
             ["photos/held_out/b.webp", "yes", "A <tower>", "", "", "Somebody", "CC-BY"]]  # fmt: skip
    header = ["file", "held_out", "title", "artist", "year", "copyright", "licence"]
    _csv(root / "data/raw/pictures/provenance.csv", header, works)
    return root


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def _metrics(folder: Path) -> None:
    names = ("linear", "mlp_128", "mlp_512", "mlp_256_128", "cnn")
    variants = {name: {"test_accuracy": 0.84 + 0.02 * i, "train_accuracy": 0.9} for i, name in enumerate(names)}
    held_out = {n: {"heldout_content_loss": 4 + 40 / n, "heldout_style_loss": 3 + 20 / n, "heldout_edges": 0.8 - 1 / n,
                    "heldout_total_loss": 34 + 240 / n, "heldout_psnr_at_alpha_0": 20 - 1 / n}
                for n in (10, 50, 80, 100)}  # fmt: skip
    each = {f"{key}_{n}": value for n, values in held_out.items() for key, value in values.items()}
    job = {"content_loss": 1.25, "style_loss": 0.0125, "iterations": 500, "width": 320, "height": 214}
    psnr = {"noisy_psnr_db": 11.2, "denoised_psnr_db": 21.5, "test_bce": 0.09, "noise_factor": 0.4}
    pairs = {"pairs": 64, "held_out_photos": 16, "held_out_paintings": 6}
    tested = {"test_images": 10000}
    write_json(folder / "fashion.json", {"test_accuracy": 0.8912, "train_accuracy": 0.9103, "epochs": 5, **tested})
    write_json(folder / "fashion_variants.json", variants)
    write_json(folder / "autoencoder.json", {"test_bce": 0.1601, "knn_accuracy": 0.871, "epochs": 25, **tested})
    write_json(folder / "denoiser.json", {**psnr, "epochs": 15, **tested})
    write_json(folder / "gatys.json", dict.fromkeys(JOBS, job))
    write_json(folder / "adain.json", {"iterations": 10000, "iterations_10": 1000, **pairs, **held_out[100], **each})


def _tables(plots: Path, rng: np.random.Generator, tests: int) -> None:
    curves = ["epoch", "train_accuracy", "test_accuracy", "train_loss", "test_loss"]
    epochs = [[i, 0.8 + 0.02 * i, 0.8 + 0.018 * i, 0.6 - 0.05 * i, 0.6 - 0.04 * i] for i in range(1, 6)]
    _csv(plots / "fashion/accuracy.csv", curves, epochs)
    right = [[c, 0.7 + 0.03 * min(i, 8)] for i, c in enumerate(CLASSES)]  # two share the best
    _csv(plots / "fashion/per_class.csv", ["class", "accuracy"], right)
    actual = rng.integers(0, 10, tests)
    predicted = np.where(rng.random(tests) < 0.85, actual, rng.integers(0, 10, tests))
    pairs = [[CLASSES[a], CLASSES[p]] for a, p in zip(actual, predicted)]
    _csv(plots / "fashion/confusion.csv", ["actual", "predicted"], pairs)
    for name in ("autoencoder", "denoiser"):
        rows = [[i, 0.15 + 0.1 / i, 0.16 + 0.1 / i] for i in range(1, 21)]
        _csv(plots / name / "loss.csv", ["epoch", "train_loss", "test_loss"], rows)
    for job in JOBS:
        rows = [[i, 100 / (i + 1) + 1, 40 / (i + 1) + 0.5, 60 / (i + 1) + 0.5] for i in range(501)]
        names = ["iteration", "total", "content", "style", "content.block5_conv2", "style.block1_conv1"]
        _csv(plots / f"gatys/{job}_losses.csv", names, [[*row, *row[2:]] for row in rows])
    steps = [[i, 4 + 4000 / i, 3 + 2000 / i, 1e-4] for i in range(100, 10001, 100)]
    _csv(plots / "adain/losses.csv", ["iteration", "content_loss", "style_loss", "learning_rate"], steps)
    held_out = ["iteration", "heldout_content_loss", "heldout_style_loss"]
    _csv(plots / "adain/heldout.csv", held_out, [row[:3] for row in steps[::10]])


def _csv(path: Path, header: list[str], rows: list[list]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=header).to_csv(path, index=False)


def _pictures(results: Path, rng: np.random.Generator, side: int) -> None:
    content = np.kron(rng.random((6, 8, 3)), np.ones((side // 6, side // 6, 1)))
    style = rng.random((side, side, 3)) * [1.0, 0.6, 0.2]
    gray = content.mean(2, keepdims=True) * [1, 0.6, 0.2]
    mixed = {share: content * (1 - share) + share * gray for share in (0.1, 0.3, 0.5, 0.6, 0.8, 0.9, 1.0)}
    frames: dict[str, dict[str, float]] = {
        **{f"gatys/{job}": {"result": 1, "snapshot_0100": 0.3, "snapshot_0300": 0.9} for job in JOBS},
        "adain/checkpoints": {"10": 0.3, "50": 0.5, "80": 0.8, "100": 1.0},
        "adain/alpha": {f"alpha_{share:.2f}": share for share in mixed},
    }  # fmt: skip
    for folder, shares in frames.items():
        pictures = {"content": content, "style": style, **{name: mixed[share] for name, share in shares.items()}}
        (results / folder).mkdir(parents=True, exist_ok=True)
        for name, pixels in pictures.items():
            Image.fromarray((pixels * 255).astype(np.uint8)).save(results / folder / f"{name}.png")


def _codes(folder: Path, rng: np.random.Generator, tests: int) -> None:
    digits = rng.integers(0, 10, tests)
    angle = digits / 10 * 2 * np.pi
    codes = np.stack([np.cos(angle), np.sin(angle)], 1) * 3 + rng.normal(size=(tests, 2)) * 0.5
    _csv(folder / "codes.csv", ["x", "y", "digit"], [[f"{x:.4f}", f"{y:.4f}", d] for (x, y), d in zip(codes, digits)])
    axis = np.linspace(-4, 4, 9)
    y, x = np.mgrid[0:28, 0:28]
    discs = [[255 - 20 * np.hypot(x - 14 - gx * 2, y - 14 + gy * 2) for gx in axis] for gy in axis[::-1]]
    np.savez(folder / "grid.npz", images=np.clip(discs, 0, 255).astype(np.uint8), xs=axis, ys=axis[::-1])
