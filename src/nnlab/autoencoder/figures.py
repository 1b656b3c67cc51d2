"""Judged autoencoders -> tables and figures."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from torch.special import entr

from nnlab.autoencoder.evaluate import POINTS, Judged, Plane
from nnlab.figures import TEN_COLORS, epoch_curves, image_grid, save_figure, style
from nnlab.files import atomic_dir
from nnlab.results import write_csv

AXES = {"xlabel": "first number of the code", "ylabel": "second number of the code"}


def draw_autoencoder(judged: Judged, plane: Plane, plots: Path, results: Path) -> None:
    """Write loss.csv and the figures into `plots`; the report's codes.csv and grid.npz into `results`."""
    with atomic_dir(plots) as folder, style():
        _write_loss(judged, "Autoencoder, test BCE", folder)
        title = "First test image of each digit, and its reconstruction from two numbers"
        save_figure(_digit_rows(judged, title), folder / "reconstructions.png")
        save_figure(latent(judged.codes, judged.labels, plane.reach), folder / "latent.png")
        save_figure(grid(plane), folder / "grid.png")
    with atomic_dir(results) as folder:
        codes = pd.DataFrame(judged.codes, columns=["x", "y"]).assign(digit=judged.labels)
        write_csv(folder / "codes.csv", codes)
        np.savez_compressed(folder / "grid.npz", images=plane.images, xs=plane.steps, ys=plane.steps)


def draw_denoiser(judged: Judged, plots: Path) -> None:
    """Write loss.csv and the figures into `plots`."""
    factor, noisy, rebuilt = (judged.metrics[name] for name in ("noise_factor", "noisy_psnr_db", "denoised_psnr_db"))
    with atomic_dir(plots) as folder, style():
        _write_loss(judged, "Denoiser, test BCE", folder)
        noise, before = (f", with noise {factor:g} N(0, 1)", f"noisy {noisy:.1f} dB, ") if factor else ("", "")
        title = f"The first test image of each digit{noise}, and rebuilt"
        note = f"mean PSNR over the test images: {before}rebuilt {rebuilt:.1f} dB"
        save_figure(_digit_rows(judged, title, note), folder / "digits.png")


def _write_loss(judged: Judged, title: str, folder: Path) -> None:
    """BCE per epoch, as a table and as a figure."""
    write_csv(folder / "loss.csv", judged.history)
    figure, axis = plt.subplots(figsize=(5.6, 3.6))
    epoch_curves(axis, judged.history, "loss", len(judged.labels))
    clean = judged.pictures["original"].double()
    least = (entr(clean) + entr(1 - clean)).mean().item()
    axis.axhline(least, color="0.4", linestyle=":", label="least possible: the entropy of the test pixels")
    axis.legend()
    axis.set(ylabel="BCE (nats per pixel)", title=f"{title}: {judged.metrics['test_bce']:.4f} at the end")
    save_figure(figure, folder / "loss.png")


def _digit_rows(judged: Judged, title: str, note: str | None = None) -> Figure:
    """One column per digit 0-9, its first test image in each row."""
    found = [int(np.argmax(judged.labels == digit)) for digit in range(10)]
    rows = [list(images[found].view(-1, 28, 28).numpy()) for images in judged.pictures.values()]
    names = list(judged.pictures)
    return image_grid(rows, row_labels=names, column_labels="0123456789", title=title, note=note, cell=0.9)


def latent(codes: np.ndarray, labels: np.ndarray, reach: float) -> Figure:
    """Codes (N, 2) coloured by digit (N,), over the grid's square; a digit's number is where its codes are densest."""
    figure, axis = plt.subplots(figsize=(7.6, 6.6))
    for digit in sorted(set(labels)):
        own, color = codes[labels == digit], TEN_COLORS[digit]
        axis.scatter(own[:, 0], own[:, 1], s=5, alpha=0.55, color=color, label=str(digit), linewidths=0)
        x, y = own[densest(own)]
        box = {"boxstyle": "circle,pad=0.15", "fc": "white", "ec": color, "lw": 3}
        font = {"family": "DejaVu Sans", "weight": "bold", "size": 15}  # the Chinese one, for file names, has no bold
        axis.text(x, y, str(digit), font, ha="center", va="center", bbox=box)
    axis.set(xlim=(-reach, reach), ylim=(-reach, reach))
    outside = int((np.abs(codes).max(1) > reach).sum())
    axis.set(title=f"Codes of the test images by digit ({outside} lie outside)", aspect="equal", **AXES)
    legend = axis.legend(title="digit", loc="center left", bbox_to_anchor=(1, 0.5), markerscale=3)
    for handle in filter(None, legend.legend_handles):
        handle.set_alpha(1)
    return figure


def densest(points: np.ndarray, neighbours: int = 50) -> int:
    """Index of the point (N, 2) that has so many others nearest by: a digit may have two clusters, none at its mean."""
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    return int(np.sort(distances, axis=1)[:, min(neighbours, len(points) - 1)].argmin())


def grid(plane: Plane) -> Figure:
    """What the decoder draws, laid over the square of the codes."""
    figure, axis = plt.subplots(figsize=(7.2, 7.2))
    sheet = plane.images.swapaxes(1, 2).reshape(POINTS * 28, POINTS * 28)
    extent = (-plane.reach, plane.reach, -plane.reach, plane.reach)
    axis.imshow(sheet, cmap="gray_r", vmin=0, vmax=255, aspect="auto", extent=extent)
    axis.grid(visible=False)
    title = f"What the decoder draws at {POINTS} x {POINTS} codes, in steps of {2 * plane.reach / POINTS:g}"
    axis.set(title=title, **AXES)
    return figure
