"""How close the generated art comes to real paintings in what AdaIN learns from: the encoder's means and deviations.

    python benchmarks/art_statistics.py REAL ART [MORE ...] [--pictures 160]

The sorted real paintings are split: every second one (the 2nd, 4th, ...; the others gave the palettes) is the target,
the rest shows what other real paintings would reach. Every folder is compared with the target by
- nearest: mean over the target of the style loss (summed over the layers) to the nearest picture of the folder;
- Fréchet distance between the two sets of statistics, in the 32 main directions of all real paintings, per layer;
- means, deviations: the folder's average statistic divided by the target's, per layer.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from scipy.linalg import sqrtm

from nnlab.adain.model import FEATURES, Encoder
from nnlab.adain.normalise import filter_means, normalised
from nnlab.adain.statistics import mean_std
from nnlab.adain.weights import encoder_from
from nnlab.data.images import list_images, load_image
from nnlab.data.samples import SAMPLES, locate
from nnlab.vgg_weights import read_weights

SIDE, DIRECTIONS = 128, 32  # pixels of the shorter side, as in the default training
PHOTOS = ("astronaut", "chelsea", "china", "coffee", "flower", "rocket")  # for the encoder's normalisation


def encoder(vgg: Path) -> Encoder:
    """The normalised encoder, made from VGG19 weights."""
    weights = read_weights(vgg)
    images = [load_image(locate(SAMPLES[name]), SIDE) for name in PHOTOS]
    return encoder_from(normalised(weights, filter_means(weights, images)), vgg)


@torch.no_grad()
def statistics(model: Encoder, paths: list[Path]) -> list[np.ndarray]:
    """Per layer (N, 2C): means and deviations of the middle of every picture."""
    rows: list[list[np.ndarray]] = [[] for _ in FEATURES]
    for path in paths:
        image = load_image(path, SIDE)
        top, left = ((n - SIDE) // 2 for n in image.shape[2:])
        features = model(image[:, :, top : top + SIDE, left : left + SIDE])
        for row, layer in zip(rows, FEATURES):
            row.append(torch.cat([part.flatten() for part in mean_std(features[layer])]).numpy())
    return [np.stack(row).astype(np.float64) for row in rows]


def style_distances(a: list[np.ndarray], b: list[np.ndarray]) -> np.ndarray:
    """Style loss (len(a), len(b)) between the pictures of two sets."""
    total = np.zeros((len(a[0]), len(b[0])))
    for x, y in zip(a, b):
        squares = (x * x).sum(1)[:, None] + (y * y).sum(1)[None] - 2 * x @ y.T
        total += np.maximum(squares, 0) / (x.shape[1] / 2)  # a mean over the channels, of means and of deviations
    return total


def frechet(x: np.ndarray, y: np.ndarray, basis: np.ndarray) -> float:
    """Fréchet distance of two sets as Gaussians in the directions `basis` (2C, D)."""
    x, y = x @ basis, y @ basis
    a, b = np.cov(x.T), np.cov(y.T)
    root = sqrtm(a @ b).real
    return float(((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(a + b - 2 * root))


def directions(x: np.ndarray) -> np.ndarray:
    """Main directions (2C, D) of a set, scaled so that a distance is a mean over the channels."""
    _, _, rows = np.linalg.svd(x - x.mean(0), full_matrices=False)
    return rows[:DIRECTIONS].T / np.sqrt(x.shape[1] / 2)


def thin(paths: list[Path], count: int) -> list[Path]:
    """At most `count` of the paths, evenly spread."""
    return [paths[round(i)] for i in np.linspace(0, len(paths) - 1, min(count, len(paths)))]


def by_manner(paths: list[Path], distances: np.ndarray) -> dict[str, float]:
    """Mean distance to the nearest real painting, for files named <manner>_<number>."""
    groups: dict[str, list[float]] = {}
    for path, distance in zip(paths, distances.min(axis=0)):
        groups.setdefault(path.stem.rpartition("_")[0], []).append(distance)
    return {name: float(np.mean(values)) for name, values in sorted(groups.items())}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("real", type=Path)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--pictures", type=int, default=160, help="of each set, at most")
    parser.add_argument("--vgg", type=Path, required=True, help="VGG19 weights, for instance data/raw/vgg19/...")
    parser.add_argument("--cache", type=Path, help="keep the real paintings' statistics in this .npz")
    parser.add_argument("--manners", action="store_true", help="print the distance per manner")
    options = parser.parse_args()
    model = encoder(options.vgg)
    real = list_images(options.real)
    if options.cache and options.cache.exists():
        stored = np.load(options.cache)
        target, other = ([stored[f"{s}{k}"] for k in range(len(FEATURES))] for s in "to")
    else:
        target, other = (statistics(model, thin(real[k::2], options.pictures)) for k in (1, 0))
        if options.cache:
            np.savez(
                options.cache, **{f"{s}{k}": x for s, xs in (("t", target), ("o", other)) for k, x in enumerate(xs)}
            )
    bases = [directions(np.concatenate(pair)) for pair in zip(target, other)]
    print(f"{'':24} nearest  Fréchet: {'  '.join(FEATURES)}   means (ratio)            deviations (ratio)")
    sets = [("other real paintings", other, [])]
    for folder in options.folders:
        paths = thin(list_images(folder), options.pictures)
        sets.append((folder.name, statistics(model, paths), paths))
    for name, found, paths in sets:
        distances = style_distances(target, found)
        shifts = [frechet(x, y, basis) for x, y, basis in zip(target, found, bases)]
        halves = [[np.split(x.mean(0), 2) for x in group] for group in (found, target)]
        ratios = [[f[k].mean() / t[k].mean() for f, t in zip(*halves)] for k in (0, 1)]
        cells = ["  ".join(f"{v:.2f}" for v in row) for row in (*ratios,)]
        print(
            f"{name:24} {distances.min(axis=1).mean():7.3f}           {'  '.join(f'{v:7.3f}' for v in shifts)}   "
            f"{cells[0]:24} {cells[1]}"
        )
        if options.manners and paths:
            print("    " + ", ".join(f"{k} {v:.2f}" for k, v in by_manner(paths, distances).items()))


if __name__ == "__main__":
    main()
