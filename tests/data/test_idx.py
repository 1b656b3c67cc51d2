"""IDX files."""

import struct
from pathlib import Path

import pytest
import torch

from nnlab.data.idx import load_split, unit


def idx(shape: tuple[int, ...], data: bytes) -> bytes:
    return bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + data


def test_a_split_is_images_row_by_row_with_labels(tmp_path: Path) -> None:
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx((2, 2, 3), bytes(range(12))))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx((2,), b"\x07\xff"))
    images, labels = load_split(tmp_path, "test")
    assert images.dtype == torch.uint8
    assert images.tolist() == [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]]
    assert labels.dtype == torch.int64
    assert labels.tolist() == [7, 255]


def test_unit_divides_by_255_and_leaves_its_input_alone() -> None:
    floats = torch.tensor([0.0, 51.0, 255.0])
    for images in (floats, floats.byte()):
        assert unit(images).tolist() == pytest.approx([0.0, 0.2, 1.0])
    assert floats.tolist() == [0.0, 51.0, 255.0]
