"""Killed at any moment, the trainings of Fashion-MNIST and MNIST and Gatys' painting end with the same bytes."""

from pathlib import Path

import pytest

from tests import quick
from tests.faults.harness import FULL, Job
from tests.faults.killing import assert_killed_stage_is_made_again

pytestmark = [pytest.mark.faults, pytest.mark.slow]

LONG = ("fashion_train", "fashion_variants", "autoencoder_train", "denoiser_train", "gatys_stylize@main")


@pytest.mark.parametrize("name", LONG if FULL else LONG[:1])
def test_killed_at_random_moments_it_ends_with_the_same_bytes(
    name: str, finished: tuple[Path, dict[str, Job]], tmp_path: Path
) -> None:
    source, known = finished
    quick.clone(source, tmp_path / "tree")
    assert_killed_stage_is_made_again(tmp_path / "tree", known[name])
