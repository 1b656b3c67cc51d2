"""Killed at any moment, AdaIN's long stages end with the same bytes. A file of its own, for a worker of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from nnlab.adain.schedule import finish_start

from nnlab.params import load_params
from tests import quick
from tests.faults.harness import FULL, Job, Workplace, states
from tests.faults.killing import assert_killed_stage_is_made_again, give_paintings

pytestmark = [pytest.mark.faults, pytest.mark.slow]

LONG = ("adain_prepare@style", "fetch_pictures", "adain_train")
PLACES = ("the finish", "inside the finish", "a block's end", "inside a block")


@pytest.mark.parametrize("name", LONG if FULL else LONG[:1])
def test_killed_at_random_moments_it_ends_with_the_same_bytes(
    name: str, finished: tuple[Path, dict[str, Job]], tmp_path: Path
) -> None:
    source, known = finished
    quick.clone(source, tmp_path / "tree")
    if name == "adain_prepare@style":  # the quick run's paintings are packed in no time
        give_paintings(tmp_path / "tree", tmp_path / "paintings")
    assert_killed_stage_is_made_again(tmp_path / "tree", known[name])


@pytest.mark.parametrize("where", PLACES if FULL else PLACES[:1])
def test_training_goes_on_from_every_kind_of_step(where: str, workplace: Callable[..., Workplace]) -> None:
    """Killed as soon as the state of that step is saved: the next run takes up crops and partners at that very step."""
    place = workplace("adain_train")
    params = place.replace_input("params.yaml")
    train = load_params(params).adain.train
    block, finish = train.partners**2, finish_start(train)
    assert block < finish < train.max_iter - 2
    step = dict(zip(PLACES, (finish, finish + 2, block, block + 1)))[where]
    quick.override(params, {"adain.run.save_every": step})
    assert place.kill_when(lambda: any(f"state-{step:09d}" in path.name for path in states(place.root)))
    assert f"state-{step:09d}" in states(place.root)[-1].name
    code, said = place.run()
    assert code == 0, said
    place.assert_right()
