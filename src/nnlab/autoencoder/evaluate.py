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
from nnlab.autoencoder.train import add_noise, bce, pixels
from nnlab.data.idx import load_split
from nnlab.measures import psnr_db
from nnlab.params import AutoencoderParams, DenoiserParams
from nnlab.training.loop import in_chunks, load

NEIGHBOURS = 10
POINTS = 20  # of the grid, per axis
OUTLIERS = 0.005  # part of the codes' numbers that may lie outside of the drawn square


@dataclass(frozen=True)
class Judged:
    """What one model makes of the N test images."""

    model: Autoencoder
    metrics: dict[str, Any]
    history: pd.DataFrame  # epoch, train_loss, test_loss
    labels: np.ndarray  # (N,)
    codes: np.ndarray  # (N, numbers of the code) float64
    pictures: dict[str, Tensor]  # (N, 784) in [0, 1] by name: original, (noisy,) rebuilt


@dataclass(frozen=True)
class Plane:
    """A grid over the codes in uniform steps, and what the decoder draws at its points."""

    reach: float  # the drawn square is -reach ... reach on both axes
    steps: np.ndarray  # (POINTS,) the points' coordinates on either axis: the middles of equal parts of the square
    images: np.ndarray  # (POINTS, POINTS, 28, 28) uint8; the first row is at the highest y


def judge(data: Path, path: Path, section: type[AutoencoderParams]) -> Judged:
    """Judge the autoencoder or denoiser at `path` on the test images in `data`, in float32 on the CPU."""
    model, settings, history = load(path, section, build)
    images, labels = load_split(data, "test")
    clean = pixels(images)
    seen = add_noise(clean, settings, "judge")
    codes = in_chunks(model.encode, seen)
    scores = in_chunks(model.decode, codes)
    rebuilt = scores.sigmoid()
    metrics = {"test_bce": bce(scores, clean).item(), "epochs": settings.epochs, "seed": settings.seed,
               "test_images": len(clean)}  # fmt: skip
    if isinstance(settings, DenoiserParams):
        noisy = seen.clamp(0, 1)
        pictures = {"original": clean, **({"noisy": noisy} if settings.noise_factor else {}), "rebuilt": rebuilt}
        metrics["noise_factor"] = settings.noise_factor
        metrics["noisy_psnr_db"] = psnr_db(noisy, clean)
        metrics["denoised_psnr_db"] = psnr_db(rebuilt, clean)
    else:
        pictures = {"original": clean, "rebuilt": rebuilt}
        metrics["psnr_db"] = psnr_db(rebuilt, clean)
    return Judged(model, metrics, history, labels.numpy(), codes.double().numpy(), pictures)


def knn_accuracy(judged: Judged, data: Path) -> float:
    """Fraction of test images whose ten nearest codes of training images vote for the right label."""
    images, labels = load_split(data, "train")
    neighbours = KNeighborsClassifier(NEIGHBOURS).fit(in_chunks(judged.model.encode, pixels(images)).double(), labels)
    return float(neighbours.score(judged.codes, judged.labels))


def decode_plane(judged: Judged) -> Plane:
    """The decoder over the square of the codes, whose side is a whole number."""
    reach = np.ceil(2 * np.quantile(np.abs(judged.codes), 1 - OUTLIERS)) / 2
    steps = reach * ((2 * np.arange(POINTS) + 1) / POINTS - 1)
    points = np.stack(np.meshgrid(steps, steps[::-1]), axis=-1).reshape(-1, 2)
    drawn = in_chunks(judged.model.decode, torch.from_numpy(points).float()).sigmoid()
    return Plane(reach, steps, drawn.mul(255).round().byte().view(POINTS, POINTS, 28, 28).numpy())
