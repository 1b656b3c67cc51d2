"""Who starts torchrun, and who finds no GPU of its own. That processes agree is tested in tests/adain/test_run.py."""

import os
import sys

import pytest
import torch

from nnlab.errors import UserError
from nnlab.training.processes import processes, start_torchrun


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that this process would have become."""
    commands: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _path, command: commands.append(command))
    monkeypatch.setattr(sys, "argv", ["stage.py", "in", "out"])
    for name in ("WORLD_SIZE", "PET_NPROC_PER_NODE", "PET_NNODES"):
        monkeypatch.delenv(name, raising=False)
    return commands


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, None),
        ({"PET_NPROC_PER_NODE": "2"}, ["--standalone", "stage.py", "in", "out"]),
        ({"PET_NNODES": "2", "PET_NPROC_PER_NODE": "8"}, ["stage.py", "in", "out"]),
        ({"PET_NPROC_PER_NODE": "2", "WORLD_SIZE": "2"}, None),  # started by torchrun
    ],
)
def test_torchrun_starts_where_its_variables_ask_for_it(
    started: list, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: list[str] | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    start_torchrun()
    assert started == ([[sys.executable, "-m", "torch.distributed.run", *expected]] if expected else [])


def test_one_process_agrees_with_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with processes(torch.device("cpu")) as team:
        team.wait()
        assert (team.rank, team.world, team.writes) == (0, 1, True)
        assert team.average(torch.tensor([2.0])).tolist() == [2.0]


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"WORLD_SIZE": "3", "LOCAL_WORLD_SIZE": "3", "LOCAL_RANK": "2", "RANK": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with (
        pytest.raises(UserError, match=r"^PET_NPROC_PER_NODE = 3: this machine has 2 GPU"),
        processes(torch.device("cuda")),
    ):
        pass
