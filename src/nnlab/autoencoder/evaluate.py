"""Trained autoencoders -> metrics, and the plane of two-number codes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor

from nnlab.autoencoder.model import Autoencoder, build
from nnlab.autoencoder.train import add_noise, bce, pixels, rebuild
from nnlab.data.idx import load_split
from nnlab.params import AutoencoderParams, DenoiserParams
from nnlab.training.loop import in_chunks, load

NEIGHBOURS = 10
OUTLIERS = 0.005  # part of the codes left out at each end of each axis when the grid's region is chosen
POINTS = 20  # of the grid, per axis
AXES = "figures and grid: asinh((code - median) / scale), uniform on asinh axes; knn_accuracy: codes as they are"


@dataclass(frozen=True)
class Judged:
    """What one model makes of the N test images."""

    model: Autoencoder
    metrics: dict[str, Any]
    history: pd.DataFrame  # epoch, train_loss, test_loss
    labels: np.ndarray  # (N,)
    pictures: dict[str, Tensor]  # (N, 784) in [0, 1] by name: original, (noisy,) rebuilt


@dataclass(frozen=True)
class Plane:
    """The codes of the test images, and what the decoder draws at the points of a grid over them.

    The coordinates are asinh((code - median) / scale) on each axis. Free codes are dense in the middle and have long
    tails: drawn as they are, most digits are one blot. The map can be inverted and its axes do not mix, so that it adds
    nothing and hides nothing.
    """

    codes: np.ndarray  # (N, 2), in coordinates
    xs: np.ndarray  # of the grid, left to right
    ys: np.ndarray  # bottom to top
    images: np.ndarray  # (len(ys), len(xs), 28, 28) uint8; row 0 is the highest y


def judge_autoencoder(data: Path, path: Path) -> tuple[Judged, Plane]:
    """Judge the autoencoder at `path` on the test images in `data`, in float32 on the CPU."""
    judged = _judge(data, path, "autoencoder", AutoencoderParams)
    train_images, train_labels = load_split(data, "train")
    clean, rebuilt = judged.pictures.values()
    train_codes = encode(judged.model, pixels(train_images))
    codes = encode(judged.model, clean)
    judged.metrics["knn_accuracy"] = knn_accuracy(train_codes, train_labels.numpy(), codes, judged.labels)
    judged.metrics["latent_axes"] = AXES
    judged.metrics["psnr_db"] = psnr_db(rebuilt, clean)
    return judged, plane(judged.model, codes, train_codes)


def judge_denoiser(data: Path, path: Path) -> Judged:
    """Judge the denoiser at `path` on the test images in `data`, in float32 on the CPU."""
    judged = _judge(data, path, "denoiser", DenoiserParams)
    clean, noisy, rebuilt = judged.pictures.values()
    judged.metrics["noisy_psnr_db"] = psnr_db(noisy, clean)
    judged.metrics["denoised_psnr_db"] = psnr_db(rebuilt, clean)
    return judged


def _judge(data: Path, path: Path, kind: str, section: type[AutoencoderParams]) -> Judged:
    model, settings, history = load(path, kind, section, build)
    images, labels = load_split(data, "test")
    clean = pixels(images)
    seen = add_noise(clean, settings, "judge")
    scores = rebuild(model, seen)
    metrics = {"test_bce": bce(scores, clean).item(), "epochs": settings.epochs, "seed": settings.seed}
    pictures = {"original": clean}
    if isinstance(settings, DenoiserParams):
        metrics["noise_factor"] = settings.noise_factor
        pictures["noisy"] = seen.clamp(0, 1)
    pictures["rebuilt"] = scores.sigmoid()
    return Judged(model, metrics | {"test_images": len(clean)}, history, labels.numpy(), pictures)


def encode(model: Autoencoder, images: Tensor) -> np.ndarray:
    """Codes (N, 2) float64 of images (N, 784)."""
    return in_chunks(model.encode, images).double().numpy()


def plane(model: Autoencoder, codes: np.ndarray, train_codes: np.ndarray, points: int = POINTS) -> Plane:
    """The plane of test codes (N, 2), about the median of train codes (M, 2), in half median absolute deviations.

    The grid fills the region of the test codes without the outliers, evenly in coordinates: in codes, then, it is fine
    in the middle and coarse in the tails.
    """
    centre = np.median(train_codes, axis=0)
    scale = np.maximum(np.median(np.abs(train_codes - centre), axis=0) / 2, 1e-6)
    coordinates = np.arcsinh((codes - centre) / scale)
    low, high = np.quantile(coordinates, [OUTLIERS, 1 - OUTLIERS], axis=0)
    xs, ys = np.linspace(low, high, points).T
    grid = np.stack(np.meshgrid(xs, ys[::-1]), axis=-1).reshape(-1, 2)
    with torch.inference_mode():
        drawn = model.decode(torch.from_numpy(centre + scale * np.sinh(grid)).float()).sigmoid()
    images = drawn.mul(255).round().byte().numpy().reshape(points, points, 28, 28)
    return Plane(coordinates, xs, ys, images)


def psnr_db(images: Tensor, clean: Tensor) -> float:
    """Mean over images of the peak signal-to-noise ratio in dB; both (N, 784) in [0, 1].

    10 log10(1 / MSE) per image; equal images count as 100 dB.
    """
    error = (images.double() - clean.double()).square().mean(1).clamp(min=1e-10)
    return (-10 * torch.log10(error)).mean().item()


def knn_accuracy(
    train_codes: np.ndarray, train_labels: np.ndarray, test_codes: np.ndarray, test_labels: np.ndarray
) -> float:
    """Fraction of test codes (M, d) whose ten nearest train codes (N, d) vote for the right label."""
    neighbours = KNeighborsClassifier(min(NEIGHBOURS, len(train_codes))).fit(train_codes, train_labels)
    return float(neighbours.score(test_codes, test_labels))
