"""The same work started twice at once: one of both may give up with a line, and the results are right in the end."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import quick
from tests.faults.harness import FULL, Job, Workplace, assert_one_line, hashes
from tests.faults.killing import forget

pytestmark = [pytest.mark.faults, pytest.mark.slow]

# One of each kind: fetching, packing, training with and without saved states, several files, metrics and figures.
STAGES = ("gatys_stylize@main", "fetch_fashion_mnist", "fetch_samples", "adain_prepare@style", "fashion_train",
          "fashion_variants", "fashion_evaluate", "adain_export", "adain_train")  # fmt: skip


@pytest.mark.parametrize("name", STAGES if FULL else STAGES[:2])
def test_a_stage_run_twice_at_once_does_no_harm(name: str, workplace: Callable[..., Workplace]) -> None:
    place = workplace(name)
    place.clear()
    first, second = place.start(), place.start()
    ends = []
    for process in (first, second):
        said, _ = process.communicate(timeout=600)
        ends.append(process.returncode)
        if process.returncode:
            assert_one_line(process.returncode, said)
    assert 0 in ends
    place.assert_right()


def test_dvc_repro_twice_at_once_does_no_harm(finished: tuple[Path, dict[str, Job]], tmp_path: Path) -> None:
    """DVC itself says which process holds what."""
    source, known = finished
    tree, job = tmp_path / "tree", known["fashion_train"]
    quick.clone(source, tree)
    forget(tree, job)
    command = [sys.executable, "-m", "dvc", "repro", job.name]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    both = [subprocess.Popen(command, cwd=tree, env=quick.environment(tree), **pipes) for _ in range(2)]
    said = [process.communicate(timeout=600)[0] for process in both]
    assert 0 in [process.returncode for process in both], said
    for process, words in zip(both, said):
        assert "Traceback" not in words
        if process.returncode:
            assert "is busy" in words or "Unable to acquire lock" in words, words
    assert hashes(tree / job.outputs[0]) == hashes(source / job.outputs[0])
