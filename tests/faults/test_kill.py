"""Killed at any moment, a long stage ends with the same bytes when it runs again."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests import quick
from tests.faults.harness import FULL, LONG, Job, Workplace, assert_one_line, hashes

pytestmark = [pytest.mark.faults, pytest.mark.slow]
Make = Callable[..., Workplace]

RESUMABLE = ("adain_train", "gatys_stylize@main")
TIMES = 20 if FULL else 1


@pytest.fixture(scope="module")
def undisturbed(finished: tuple[Path, dict[str, Job]], tmp_path_factory: pytest.TempPathFactory):
    """`undisturbed(name)` tells how many seconds the stage takes if nothing is done to it."""
    tree, known = finished
    seconds: dict[str, float] = {}

    def measure(name: str) -> float:
        if name not in seconds:
            place = Workplace(tree, tmp_path_factory.mktemp("undisturbed"), known[name])
            begin = time.monotonic()
            code, said = place.run()
            seconds[name] = time.monotonic() - begin
            assert code == 0, said
            place.assert_right()
        return seconds[name]

    return measure


@pytest.mark.parametrize("name", LONG if FULL else ("fashion_train",))
def test_killed_at_random_moments_it_ends_with_the_same_bytes(
    name: str, workplace: Make, undisturbed: Callable[[str], float]
) -> None:
    place = workplace(name)
    draw = random.Random(name)
    whole = undisturbed(name)
    killed = tries = 0
    while killed < TIMES:  # a run that is faster than the measured one may end before it is killed
        assert tries < 2 * TIMES + 3, f"{name} ended before it was killed {tries - killed} times of {tries}"
        tries += 1
        killed += place.kill_after(draw.uniform(0.1, 0.95) * whole)
        place.assert_nothing_half_written()
        code, said = place.run()
        assert code == 0, said
        place.assert_right()


@pytest.mark.parametrize("name", RESUMABLE if FULL else ("adain_train",))
def test_killed_again_and_again_it_goes_on_from_what_it_had_saved(name: str, workplace: Make) -> None:
    """Killed after each new saved state: the older states are those of the runs before, not made anew."""
    place = workplace(name)
    newest: dict[Path, int] = {}
    for _ in range(3 if FULL else 2):
        before = newest
        assert place.kill_when(lambda old=before: later(states(place.root), old)), f"{name} ended before the kill"
        newest = {path: path.stat().st_mtime_ns for path in states(place.root)}
        kept = before.keys() & newest.keys()
        assert kept or not before, "no state of the run before is left: the new run did not go on from it"
        assert {path: newest[path] for path in kept} == {path: before[path] for path in kept}
    code, said = place.run()
    assert code == 0, said
    place.assert_right()


def later(found: list[Path], old: dict[Path, int]) -> bool:
    """Whether there is a state that is newer than all of `old`."""
    return bool(found) and found[-1].name > max((path.name for path in old), default="")


@pytest.mark.parametrize("name", [name for name in LONG if name not in RESUMABLE] if FULL else ())
def test_killed_again_and_again_it_still_ends(name: str, workplace: Make, undisturbed: Callable[[str], float]) -> None:
    """Several kills in a row, without a whole run between them: nothing adds up."""
    place = workplace(name)
    draw = random.Random(f"again {name}")
    whole = undisturbed(name)
    assert sum(place.kill_after(draw.uniform(0.3, 0.9) * whole) for _ in range(5)) >= 3
    code, said = place.run()
    assert code == 0, said
    place.assert_right()


@pytest.mark.parametrize("name", RESUMABLE if FULL else ("gatys_stylize@main",))
def test_a_state_that_was_cut_is_found_out_and_the_one_before_is_used(name: str, workplace: Make) -> None:
    """A power cut: the newest saved state is shortened to a random length."""
    draw = random.Random(f"cut {name}")
    for _ in range(5 if FULL else 1):
        place = workplace(name)
        assert place.kill_when(lambda root=place.root: len(states(root)) > 1), (
            f"{name} ended before it saved two states"
        )
        newest = states(place.root)[-1]
        content = newest.read_bytes()
        newest.write_bytes(content[: draw.randrange(len(content))])
        code, said = place.run()
        assert code == 0, said
        place.assert_right()


def states(root: Path) -> list[Path]:
    """Saved states of a resumable stage, oldest first."""
    found = [path for path in root.glob(".resume/*/*-*.safetensors") if not path.name.startswith(".")]
    return sorted(found, key=lambda path: path.name)


@pytest.mark.parametrize("name", (*RESUMABLE, "fashion_train") if FULL else ("gatys_stylize@main",))
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


@pytest.mark.parametrize("name", LONG if FULL else ("fashion_train",))
def test_dvc_goes_on_after_a_kill(
    name: str, finished: tuple[Path, dict[str, Job]], undisturbed: Callable[[str], float], tmp_path: Path
) -> None:
    """`dvc repro` itself is killed with the stage; the next plain `dvc repro` makes the same files."""
    source, known = finished
    tree = tmp_path / "tree"
    quick.clone(source, tree)
    forget(tree, known[name])
    moment = random.Random(f"dvc {name}").uniform(0.05, 0.4) * undisturbed(name)  # measured times vary
    command = [sys.executable, "-m", "dvc", "repro", "--single-item", name]
    with (tmp_path / "said").open("w") as said:
        process = subprocess.Popen(
            command, cwd=tree, env=quick.environment(tree), stdout=said, stderr=said, start_new_session=True
        )
    deadline = time.monotonic() + 120
    while f"Running stage '{name}'" not in (tmp_path / "said").read_text(encoding="utf-8"):
        assert process.poll() is None, (tmp_path / "said").read_text(encoding="utf-8")
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(moment)
    assert process.poll() is None, "dvc repro ended before it was killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    again = quick.repro(tree)
    assert again.returncode == 0, again.stdout
    assert re.findall(r"Running stage '([^']+)'", again.stdout) == [name]
    for output in known[name].outputs:
        assert hashes(tree / output) == hashes(source / output)


def forget(tree: Path, job: Job) -> None:
    """Make DVC forget that the stage ever ran: its outputs, its entry in dvc.lock, the memory of past runs."""
    for output in job.outputs:
        path = tree / output
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.rmtree(tree / ".dvc/cache/runs", ignore_errors=True)
    lock = yaml.safe_load((tree / "dvc.lock").read_text(encoding="utf-8"))
    del lock["stages"][job.name]
    (tree / "dvc.lock").write_text(yaml.safe_dump(lock, allow_unicode=True), encoding="utf-8")
