"""Results that were damaged after the run: `dvc repro` notices and makes them again."""

import random
import re
from pathlib import Path

import pytest

from tests import quick
from tests.faults.harness import FULL, Job

pytestmark = [pytest.mark.faults, pytest.mark.slow]


@pytest.mark.parametrize("seed", range(5 if FULL else 1))
def test_a_metrics_file_that_was_cut_is_made_again(
    finished: tuple[Path, dict[str, Job]], tmp_path: Path, seed: int
) -> None:
    """A power cut: the file has a random length."""
    tree = tmp_path / "tree"
    quick.clone(finished[0], tree)
    path = tree / "metrics/fashion.json"
    whole = path.read_bytes()
    path.write_bytes(whole[: random.Random(seed).randrange(len(whole))])
    said = quick.dvc(tree, "repro")
    assert path.read_bytes() == whole
    assert re.findall(r"Running stage '([^']+)'", said) == ["fashion_evaluate"]
