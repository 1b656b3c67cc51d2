"""Stages that save their state go on from it after a kill, from the one before where the last is cut."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.harness import FULL, RESUMABLE, Workplace, states

pytestmark = [pytest.mark.faults, pytest.mark.slow]
Make = Callable[..., Workplace]


@pytest.mark.parametrize("name", RESUMABLE if FULL else ("gatys_stylize@main",))
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
