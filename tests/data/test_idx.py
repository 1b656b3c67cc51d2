"""IDX files."""

from pathlib import Path

import pytest
import torch

from nnlab.data.idx import load_split, unit
from tests.datasets import write_split


def test_a_split_is_images_row_by_row_with_labels(tmp_path: Path) -> None:
    given = torch.arange(2 * 28 * 28).byte().view(2, 28, 28)
    write_split(tmp_path, "t10k", given, torch.tensor([7, 255]))
    images, labels = load_split(tmp_path, "test")
    assert torch.equal(images, given)
    assert (labels.dtype, labels.tolist()) == (torch.int64, [7, 255])


def test_unit_divides_by_255_and_leaves_its_input_alone() -> None:
    floats = torch.tensor([0.0, 51.0, 255.0])
    for images in (floats, floats.byte()):
        assert unit(images).tolist() == pytest.approx([0.0, 0.2, 1.0])
    assert floats.tolist() == [0.0, 51.0, 255.0]
