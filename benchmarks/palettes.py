"""Measure the palettes of a folder of real paintings -> src/nnlab/adain/paint/palettes.npz.

    python benchmarks/palettes.py FOLDER [OUT] [--every 2]

Per painting: 16 colours in Lab with shares and spreads, and the contrast of lightness and chroma in five spatial bands.
Of the sorted files, every second one (the 1st, 3rd, ...) is measured; the others stay unseen, for comparisons.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.cluster.vq import kmeans2

from nnlab.adain.paint.colour import band_energy, bands, to_lab
from nnlab.data.images import list_images, read_image, resize_shorter

COLOURS = 16


def measure(path: Path) -> dict[str, np.ndarray]:
    """Statistics of one painting, by the names in palettes.npz."""
    lab = to_lab(np.asarray(resize_shorter(read_image(path), 256), dtype=np.float32) / 255)
    energy = band_energy(bands(lab))
    pixels = lab[::3, ::3].reshape(-1, 3).astype(np.float64)
    rng = np.random.default_rng(0)
    pixels += rng.normal(scale=0.05, size=pixels.shape)  # k-means needs distinct points
    centres, labels = kmeans2(pixels, COLOURS, iter=25, minit="++", seed=1)
    shares = np.bincount(labels, minlength=COLOURS) / len(labels)
    spreads = np.array([pixels[labels == k].std(axis=0).mean() if shares[k] else 0.0 for k in range(COLOURS)])
    return {"colours": centres, "weights": shares, "spreads": spreads, "bands": energy}


def main() -> None:
    """Measure a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path, nargs="?", default=Path("src/nnlab/adain/paint/palettes.npz"))
    parser.add_argument("--every", type=int, default=2)
    options = parser.parse_args()
    paths = list_images(options.folder)[:: options.every]
    found = [measure(path) for path in paths]
    arrays = {name: np.stack([item[name] for item in found]) for name in found[0]}
    # Eight bits are enough for colours; half precision for the rest.
    packed = {name: values.astype(np.float16) for name, values in arrays.items()}
    packed["colours"] = np.clip(arrays["colours"].round(), -128, 127).astype(np.int8)
    np.savez_compressed(options.out, **packed)
    print(f"{len(paths)} paintings -> {options.out} ({options.out.stat().st_size / 1000:.0f} kB)")


if __name__ == "__main__":
    main()
