"""IDX files."""

from pathlib import Path

import torch

from nnlab.data.idx import load_split, unit
from tests.datasets import write_split


def test_a_split_is_images_row_by_row_with_labels(tmp_path: Path) -> None:
    given = torch.arange(12, dtype=torch.uint8).view(2, 2, 3)
    write_split(tmp_path, "t10k", given, torch.tensor([7, 255]))
    images, labels = load_split(tmp_path, "test")
    assert torch.equal(images, given)
    assert torch.equal(unit(images) * 255, given.float())
    assert (labels.dtype, labels.tolist()) == (torch.int64, [7, 255])
