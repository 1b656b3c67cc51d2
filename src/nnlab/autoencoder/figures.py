"""Judged autoencoders -> tables and figures."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torchvision.utils import make_grid

from nnlab.autoencoder.evaluate import Judged, Plane
from nnlab.figures import TEN_COLORS, epoch_curves, image_grid, save_figure, style
from nnlab.files import atomic_dir
from nnlab.results import write_csv

DIGITS = range(10)
AXES = [f"asinh((code - median) / scale), {number} number of the code" for number in ("first", "second")]


def draw_autoencoder(judged: Judged, plane: Plane, plots: Path, results: Path) -> None:
    """Write loss.csv and the figures into `plots`; the report's codes.csv and grid.npz into `results`."""
    with atomic_dir(plots) as folder, style():
        _write_loss(judged, "Autoencoder, test BCE", folder)
        title = "First test image of each digit, and its reconstruction from two numbers"
        save_figure(digit_rows(judged, title), folder / "reconstructions.png")
        save_figure(latent(plane, judged.labels), folder / "latent.png")
        save_figure(grid(plane), folder / "grid.png")
    with atomic_dir(results) as folder:
        write_csv(folder / "codes.csv", ["x", "y", "digit"], zip(*plane.codes.T, judged.labels))
        np.savez_compressed(folder / "grid.npz", images=plane.images, xs=plane.xs, ys=plane.ys)


def draw_denoiser(judged: Judged, plots: Path) -> None:
    """Write loss.csv and the figures into `plots`."""
    noisy, rebuilt = (judged.metrics[f"{name}_psnr_db"] for name in ("noisy", "denoised"))
    with atomic_dir(plots) as folder, style():
        _write_loss(judged, "Denoiser, test BCE", folder)
        noise = f"{judged.metrics['noise_factor']:g} N(0, 1)"
        title = f"The first test image of each digit, with noise {noise}, and rebuilt"
        note = f"mean PSNR over the test images: noisy {noisy:.1f} dB, rebuilt {rebuilt:.1f} dB"
        save_figure(digit_rows(judged, title, note), folder / "digits.png")


def _write_loss(judged: Judged, title: str, folder: Path) -> None:
    """BCE per epoch, as a table and as a figure."""
    write_csv(folder / "loss.csv", judged.history.columns, judged.history)
    figure, axis = plt.subplots(figsize=(5.6, 3.6))
    epoch_curves(axis, judged.history, "loss", len(judged.labels))
    axis.set(ylabel="BCE (nats per pixel)", title=f"{title}: {judged.metrics['test_bce']:.4f} at the end")
    save_figure(figure, folder / "loss.png")


def digit_rows(judged: Judged, title: str, note: str | None = None) -> Figure:
    """One column per digit 0-9, its first test image in each row; the column of a digit without images is empty."""
    found = [np.flatnonzero(judged.labels == digit)[:1] for digit in DIGITS]
    rows = [[images[i].view(28, 28).numpy() if len(i) else None for i in found] for images in judged.pictures.values()]
    names = [str(digit) for digit in DIGITS]
    return image_grid(rows, row_labels=list(judged.pictures), column_labels=names, title=title, note=note, cell=0.9)


def latent(plane: Plane, labels: np.ndarray) -> Figure:
    """Codes coloured by digit; each digit's number stands about its median; the grid's region is framed."""
    figure, axis = plt.subplots(figsize=(7.6, 6.6))
    placed: list[np.ndarray] = []
    for digit in sorted(set(labels)):
        own, color = plane.codes[labels == digit], TEN_COLORS[digit]
        axis.scatter(own[:, 0], own[:, 1], s=5, alpha=0.55, color=color, label=str(digit), linewidths=0)
        placed.append(_apart(np.median(own, axis=0), placed, 0.05 * np.ptp(plane.codes, axis=0)))
        box = {"boxstyle": "circle,pad=0.15", "fc": "white", "ec": color}
        x, y = placed[-1]
        axis.text(x, y, str(digit), fontsize=15, weight="bold", color=color, ha="center", va="center", bbox=box)
    (left, right), (bottom, top) = plane.xs[[0, -1]], plane.ys[[0, -1]]
    corners = [left, right, right, left, left], [bottom, bottom, top, top, bottom]
    axis.plot(*corners, color="#333333", linestyle="--", linewidth=1, label="grid")
    axis.set(xlabel=AXES[0], ylabel=AXES[1], title="Codes of the test images by digit, on asinh axes")
    legend = axis.legend(title="digit", loc="center left", bbox_to_anchor=(1, 0.5), markerscale=3)
    for handle in filter(None, legend.legend_handles):
        handle.set_alpha(1)
    return figure


def _apart(wanted: np.ndarray, placed: list[np.ndarray], gap: np.ndarray) -> np.ndarray:
    """The place (2,) nearest below `wanted` that is `gap` (2,) away from all that are `placed`."""
    while any((np.abs(wanted - other) < gap).all() for other in placed):
        wanted = wanted - np.array([0.0, 0.25]) * gap
    return wanted


def grid(plane: Plane) -> Figure:
    """What the decoder draws, laid over the plane."""
    rows, columns = plane.images.shape[:2]
    sheet = make_grid(torch.from_numpy(plane.images).view(-1, 1, 28, 28), nrow=columns, padding=0)[0].numpy()
    half_x, half_y = (plane.xs[1] - plane.xs[0]) / 2, (plane.ys[1] - plane.ys[0]) / 2
    extent = (plane.xs[0] - half_x, plane.xs[-1] + half_x, plane.ys[0] - half_y, plane.ys[-1] + half_y)
    figure, axis = plt.subplots(figsize=(7.2, 7.2))
    axis.imshow(sheet, cmap="gray_r", vmin=0, vmax=255, aspect="auto", extent=extent)
    axis.grid(visible=False)
    title = f"What the decoder draws at {columns} x {rows} points, uniform on asinh axes"
    axis.set(xlabel=AXES[0], ylabel=AXES[1], title=title)
    return figure
