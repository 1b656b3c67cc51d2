"""Killed at any moment, a long stage ends with the same bytes when it runs again."""

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import quick
from tests.faults.harness import FULL, LONG, Job, Workplace, assert_one_line, hashes

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.long]
Make = Callable[..., Workplace]

BOUNDED = ("fashion_train", "adain_train")
TIMES = 20 if FULL else 1
LAST_SECOND = {"fashion_train": 6.0}  # of the moments at which a stage is killed at reduced settings; else 10


@pytest.mark.parametrize("name", LONG if FULL else BOUNDED)
def test_killed_at_random_moments_it_ends_with_the_same_bytes(name: str, workplace: Make) -> None:
    place = workplace(name)
    draw = random.Random(name)
    for _ in range(TIMES):
        place.kill_after(draw.uniform(0.2, LAST_SECOND.get(name, 10.0)) if FULL else draw.uniform(2.0, 4.0))
        place.assert_nothing_half_written()
        code, said = place.run()
        assert code == 0, said
        place.assert_right()


@pytest.mark.parametrize("name", LONG if FULL else ())
def test_killed_again_and_again_it_still_ends(name: str, workplace: Make) -> None:
    """Each run is killed a little later than the one before: what was done is not lost, and nothing adds up."""
    place = workplace(name)
    draw = random.Random(f"again {name}")
    for _ in range(5):
        place.kill_after(draw.uniform(2.0, 5.0))
    code, said = place.run()
    assert code == 0, said
    place.assert_right()


@pytest.mark.parametrize("name", ("adain_train", "gatys_stylize@main") if FULL else ())
def test_a_state_that_was_cut_is_found_out_and_the_one_before_is_used(name: str, workplace: Make) -> None:
    """A power cut: the newest saved state is shortened to a random length."""
    draw = random.Random(f"cut {name}")
    for _ in range(5 if FULL else 1):
        place = workplace(name)
        if not place.kill_when(lambda root=place.root: len(states(root)) > 1):
            pytest.skip(f"{name} ended before it had saved two states")
        newest = states(place.root)[-1]
        content = newest.read_bytes()
        newest.write_bytes(content[: draw.randrange(len(content))])
        code, said = place.run()
        assert code == 0, said
        place.assert_right()


def states(root: Path) -> list[Path]:
    """Saved states of a resumable stage, oldest first."""
    return sorted((p for p in root.glob(".resume/*/*-*.safetensors")), key=lambda path: path.name)


@pytest.mark.parametrize("name", ("adain_train", "gatys_stylize@main", "fashion_train") if FULL else ())
def test_a_stage_run_twice_at_once_does_no_harm(name: str, workplace: Make) -> None:
    """One of both may give up with a line; the results are right in the end."""
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


@pytest.mark.skipif(not FULL, reason="in full only: NNLAB_FAULTS=full")
@pytest.mark.parametrize("name", LONG)
def test_dvc_goes_on_after_a_kill(name: str, finished: tuple[Path, dict[str, Job]], tmp_path: Path) -> None:
    """`dvc repro` itself is killed with the stage; the next `dvc repro` makes the same files."""
    import os
    import shutil
    import signal
    import subprocess
    import sys

    source, known = finished
    tree = tmp_path / "tree"
    shutil.copytree(source, tree, symlinks=True, copy_function=os.link)
    draw = random.Random(f"dvc {name}")
    for output in known[name].outputs:
        path = tree / output
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (tree / "dvc.lock").unlink()  # a hard link of the finished run's
    shutil.copy(source / "dvc.lock", tree)
    command = [sys.executable, "-m", "dvc", "repro", "--single-item", "--force", "--no-run-cache", name]
    process = subprocess.Popen(command, cwd=tree, env=quick.environment(tree), start_new_session=True)
    try:
        process.wait(draw.uniform(3.0, 12.0))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    again = subprocess.run(
        [*command[:-4], "--force", "--no-run-cache", "--single-item", name],
        cwd=tree, env=quick.environment(tree), text=True, capture_output=True,
    )  # fmt: skip
    assert again.returncode == 0, again.stdout + again.stderr
    assert re.search(rf"Running stage '{name}'", again.stdout)
    for output in known[name].outputs:
        assert hashes(tree / output) == hashes(source / output)
