"""Small data sets in the form of MNIST, pictures, and a gallery of them."""

import struct
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from nnlab.data.gallery import ENTRIES
from nnlab.data.images import save_image


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    """Write each content to its name below `folder`; return the folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def write_split(folder: Path, prefix: str, images: Tensor, labels: Tensor) -> None:
    """Write images (N, 28, 28) uint8 and labels (N,) as a pair of IDX files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, values in ((f"{prefix}-images-idx3-ubyte", images), (f"{prefix}-labels-idx1-ubyte", labels)):
        head = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
        (folder / name).write_bytes(head + values.byte().numpy().tobytes())


def bars(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Ten classes that are easy to tell apart: a bright bar at a height that is the label, on noise."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 10
    images = torch.randint(0, 60, (count, 28, 28), generator=generator, dtype=torch.uint8)
    for image, label in zip(images, labels.tolist()):
        image[2 * label + 4 : 2 * label + 6, 4:20] = 230
    return images, labels


def write_bars(folder: Path, train: int = 300, test: int = 100) -> None:
    """A whole data set of `bars`."""
    write_split(folder, "train", *bars(train, 1))
    write_split(folder, "t10k", *bars(test, 2))


def photo(seed: int, size: tuple[int, int] = (120, 96)) -> Image.Image:
    """Coloured blocks with soft borders: no two seeds give the same picture."""
    blocks = np.random.default_rng(seed).integers(0, 256, (size[1] // 8 + 1, size[0] // 8 + 1, 3), dtype=np.uint8)
    return Image.fromarray(blocks).resize(size, Image.Resampling.BICUBIC)


def make_gallery(folder: Path) -> None:
    """Write a small picture in the place of every one that is held out."""
    for number, entry in enumerate(entry for entry in ENTRIES if entry.held_out == "yes"):
        save_image(photo(number, (48, 36)), folder / entry.file)
