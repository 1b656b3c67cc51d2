"""IDX files and the order of batches."""

import struct
from pathlib import Path

import pytest
import torch

from nnlab.data.idx import epoch_batches, load_idx, load_split, unit
from nnlab.errors import UserError


def idx(shape: tuple[int, ...], data: bytes, code: int = 8) -> bytes:
    return bytes([0, 0, code, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + data


def test_pixels_come_out_row_by_row(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(idx((2, 2, 3), bytes(range(12))))
    tensor = load_idx(tmp_path / "a")
    assert tensor.dtype == torch.uint8
    assert tensor.tolist() == [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not an IDX file"),
        (b"\x1f\x8b\x08\0 packed", "not an IDX file"),
        (idx((2,), b"\0\0\0\0", code=13), "not an IDX file"),
        (b"\0\0\x08\x03\0\0\0\x02", "not an IDX file"),
        (idx((2, 2), b"abc"), "3 bytes of data where its header says 4"),
        (idx((2, 2), b"abcde"), "5 bytes of data where its header says 4"),
        (idx((2**32 - 1,) * 4, b"a"), "1 bytes of data where its header says 3402823"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(UserError, match=words) as caught:
        load_idx(tmp_path / "a")
    assert str(tmp_path / "a") in str(caught.value)
    with pytest.raises(UserError, match="not found; run `dvc repro`"):
        load_idx(tmp_path / "b")


def test_a_split_is_images_with_labels(tmp_path: Path) -> None:
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx((3, 28, 28), bytes(3 * 784)))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx((3,), b"\x07\x00\x09"))
    images, labels = load_split(tmp_path, "test")
    assert images.shape == (3, 28, 28)
    assert labels.dtype == torch.int64
    assert labels.tolist() == [7, 0, 9]
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx((2,), b"\x07\x00"))
    with pytest.raises(UserError, match="3 test images but 2 labels"):
        load_split(tmp_path, "test")


def test_unit_divides_by_255_and_leaves_its_input_alone() -> None:
    floats = torch.tensor([0.0, 51.0, 255.0])
    for images in (floats, floats.byte()):
        assert unit(images).tolist() == pytest.approx([0.0, 0.2, 1.0])
    assert floats.tolist() == [0.0, 51.0, 255.0]


def test_an_epoch_is_a_permutation_by_seed_and_epoch_alone_cut_into_batches() -> None:
    batches = epoch_batches(10, 4, seed=1, epoch=3)
    assert [len(batch) for batch in batches] == [4, 4, 2]
    order = torch.cat(batches).tolist()
    assert sorted(order) == list(range(10))
    assert torch.cat(epoch_batches(10, 3, 1, 3)).tolist() == order  # the batch size only cuts it
    assert torch.cat(epoch_batches(10, 4, 1, 4)).tolist() != order
    assert torch.cat(epoch_batches(10, 4, 2, 3)).tolist() != order
