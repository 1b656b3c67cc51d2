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
from nnlab.params import AutoencoderParams, DenoiserParams
from nnlab.training.loop import in_chunks, load

NEIGHBOURS = 10
POINTS = 20  # of the grid, per axis
STEPS = (np.arange(POINTS) + 0.5) * 2 / POINTS - 1  # centres of equal parts of the codes' range, -1 ... 1


@dataclass(frozen=True)
class Judged:
    """What one model makes of the N test images."""

    model: Autoencoder
    metrics: dict[str, Any]
    history: pd.DataFrame  # epoch, train_loss, test_loss
    labels: np.ndarray  # (N,)
    codes: np.ndarray  # (N, numbers of the code) float64
    pictures: dict[str, Tensor]  # (N, 784) in [0, 1] by name: original, (noisy,) rebuilt


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
        pictures = {"original": clean, "noisy": seen.clamp(0, 1), "rebuilt": rebuilt}
        metrics["noise_factor"] = settings.noise_factor
        metrics["noisy_psnr_db"] = psnr_db(pictures["noisy"], clean)
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


def decode_plane(model: Autoencoder) -> np.ndarray:
    """What the decoder draws where x and y are STEPS: (POINTS, POINTS, 28, 28) uint8, the highest y first."""
    points = np.stack(np.meshgrid(STEPS, STEPS[::-1]), axis=-1).reshape(-1, 2)
    drawn = in_chunks(model.decode, torch.from_numpy(points).float()).sigmoid()
    return drawn.mul(255).round().byte().view(POINTS, POINTS, 28, 28).numpy()


def psnr_db(images: Tensor, clean: Tensor) -> float:
    """Mean over images of the peak signal-to-noise ratio in dB; both (N, 784) in [0, 1].

    10 log10(1 / MSE) per image; equal images count as 100 dB.
    """
    error = (images.double() - clean.double()).square().mean(1).clamp(min=1e-10)
    return (-10 * torch.log10(error)).mean().item()
