"""States on disk: two are kept, damaged ones are found out, and looking changes nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from nnlab.training.state import Checkpoints


def save(folder: Path, *steps: int) -> None:
    for step in steps:
        Checkpoints(folder).save(step, {"w": torch.full((50,), float(step))}, {"step": step})


def steps(folder: Path) -> list[int]:
    """Of the states that are whole, newest first; each has its own tensors."""
    found = [(values["step"], tensors["w"]) for tensors, values in Checkpoints(folder).whole()]
    assert all((w == step).all() for step, w in found)
    return [step for step, _ in found]


def newest(folder: Path) -> Path:
    return max(folder.glob("state-*"))


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    assert steps(tmp_path) == []
    save(tmp_path, 9)
    assert steps(tmp_path) == [9]
    save(tmp_path, 10, 1000, 200_000_000)
    assert steps(tmp_path) == [200_000_000, 1000]
    assert len(list(tmp_path.iterdir())) == 2


def test_any_flipped_byte_or_cut_is_found_out(tmp_path: Path) -> None:
    save(tmp_path, 1, 2)
    path = newest(tmp_path)
    whole = path.read_bytes()
    damages: list[Callable[[int], bytes]] = [
        lambda place: whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :],
        lambda place: whole[:place],
    ]
    for damaged in damages:
        for place in range(0, len(whole), 7):
            path.write_bytes(damaged(place))
            assert steps(tmp_path) == [1]
    assert path.exists()  # looking removes nothing: other processes look, too


@pytest.mark.parametrize("next_step", [2, 3])
def test_a_damaged_state_takes_no_place_of_a_whole_one(tmp_path: Path, next_step: int) -> None:
    save(tmp_path, 1, 3)
    newest(tmp_path).write_bytes(b"")
    save(tmp_path, next_step)
    assert steps(tmp_path) == [next_step, 1]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_state_that_was_being_written_does_not_matter(tmp_path: Path) -> None:
    save(tmp_path, 1)
    (tmp_path / "unnamed.safetensors").write_bytes(b"half a state")
    assert steps(tmp_path) == [1]
    save(tmp_path, 2)
    assert len(list(tmp_path.iterdir())) == 2
