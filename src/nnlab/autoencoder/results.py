"""Trained autoencoders -> metrics, tables, figures."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from nnlab.autoencoder import figures, latent
from nnlab.autoencoder.losses import bce
from nnlab.autoencoder.measures import knn_accuracy, psnr_db
from nnlab.autoencoder.train import Epoch, as_judged, rebuild
from nnlab.autoencoder.trained import load
from nnlab.data.idx import load_split, unit
from nnlab.figures import save_figure, style
from nnlab.files import atomic, atomic_dir
from nnlab.params import AutoencoderParams, DenoiserParams
from nnlab.results import write_csv


@dataclass(frozen=True)
class Judged:
    """What one model makes of the test images; pictures are (N, 28, 28) in [0, 1]."""

    metrics: dict[str, Any]
    history: list[Epoch]
    labels: np.ndarray
    pictures: dict[str, np.ndarray]  # rows of the figure by name: original, (noisy,) rebuilt


@dataclass(frozen=True)
class JudgedAutoencoder(Judged):
    """Its plane of codes too."""

    codes: np.ndarray  # (N, 2), in the coordinates of `latent.Plane`
    grid: np.ndarray  # (rows, columns, 28, 28) uint8, row 0 at the highest y
    xs: np.ndarray
    ys: np.ndarray


def judge_autoencoder(data: Path, path: Path) -> JudgedAutoencoder:
    """Judge the model at `path` on the test images in `data`, in float32 on the CPU."""
    model, settings, history = load(path, AutoencoderParams)
    (images, labels), (train_images, train_labels) = _split(data, "test"), _split(data, "train")
    scores = rebuild(model, images)
    train_codes = latent.encode(model, train_images)
    plane = latent.fit_plane(train_codes)
    raw_codes = latent.encode(model, images)
    codes = plane.coordinates(raw_codes)
    xs, ys = latent.grid_axes(codes)
    metrics = {
        "test_bce": bce(scores, images).item(),
        "knn_accuracy": knn_accuracy(train_codes, train_labels, raw_codes, labels),
        "latent_axes": latent.AXES,
        "psnr_db": psnr_db(scores.sigmoid(), images),
        "epochs": settings.epochs,
        "seed": settings.seed,
        "test_images": len(images),
    }
    pictures = {"original": _pictures(images), "rebuilt": _pictures(scores.sigmoid())}
    return JudgedAutoencoder(
        metrics, history, labels, pictures, codes, latent.decode_grid(model, plane, xs, ys), xs, ys
    )


def judge_denoiser(data: Path, path: Path) -> Judged:
    """Judge the denoiser at `path` on the test images in `data`, in float32 on the CPU.

    The PSNR of the noisy images is that of what one sees: pixels cut to [0, 1].
    """
    model, settings, history = load(path, DenoiserParams)
    images, labels = _split(data, "test")
    noisy = as_judged(images, settings)
    scores = rebuild(model, noisy)
    metrics = {
        "noisy_psnr_db": psnr_db(noisy.clamp(0, 1), images),
        "denoised_psnr_db": psnr_db(scores.sigmoid(), images),
        "test_bce": bce(scores, images).item(),
        "noise_factor": settings.noise_factor,
        "epochs": settings.epochs,
        "seed": settings.seed,
        "test_images": len(images),
    }
    rows = {"original": images, "noisy": noisy.clamp(0, 1), "rebuilt": scores.sigmoid()}
    return Judged(metrics, history, labels, {name: _pictures(row) for name, row in rows.items()})


def write_autoencoder(judged: JudgedAutoencoder, plots: Path, results: Path) -> None:
    """Write loss.csv and the figures into `plots`, codes.csv and grid.npz into `results`."""
    with atomic_dir(plots) as folder, style():
        _write_loss(judged, "Autoencoder, test BCE", folder)
        title = "First test image of each digit, and its reconstruction from two numbers"
        save_figure(figures.digit_rows(judged.pictures, judged.labels, title), folder / "reconstructions.png")
        save_figure(figures.latent(judged.codes, judged.labels, judged.xs, judged.ys), folder / "latent.png")
        save_figure(figures.grid(judged.grid, judged.xs, judged.ys), folder / "grid.png")
    with atomic_dir(results) as folder:
        rows = [(float(x), float(y), int(digit)) for (x, y), digit in zip(judged.codes, judged.labels)]
        write_csv(folder / "codes.csv", ["x", "y", "digit"], rows)
        with atomic(folder / "grid.npz") as temporary:
            np.savez_compressed(temporary, images=judged.grid, xs=judged.xs, ys=judged.ys)


def write_denoiser(judged: Judged, plots: Path) -> None:
    """Write loss.csv and the figures into `plots`."""
    factor, metrics = judged.metrics["noise_factor"], judged.metrics
    with atomic_dir(plots) as folder, style():
        _write_loss(judged, "Denoiser, test BCE", folder)
        title = f"The first test image of each digit, with noise {factor:g} N(0, 1), and rebuilt"
        note = (
            f"mean PSNR over the test images: noisy {metrics['noisy_psnr_db']:.1f} dB, "
            f"rebuilt {metrics['denoised_psnr_db']:.1f} dB"
        )
        save_figure(figures.digit_rows(judged.pictures, judged.labels, title, note), folder / "digits.png")


def _write_loss(judged: Judged, title: str, folder: Path) -> None:
    rows = [asdict(row) for row in judged.history]
    write_csv(folder / "loss.csv", list(rows[0]), [list(row.values()) for row in rows])
    save_figure(figures.loss(judged.history, title, len(judged.labels)), folder / "loss.png")


def _split(data: Path, name: str) -> tuple[Tensor, np.ndarray]:
    """Images (N, 784) float32 in [0, 1] and labels of a split."""
    images, labels = load_split(data, name)
    return unit(images).flatten(1), labels.numpy()


def _pictures(pixels: Tensor) -> np.ndarray:
    return pixels.view(-1, 28, 28).numpy()
