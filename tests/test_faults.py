"""Single stages that are killed, or short of disk or of whole inputs, some started as DVC starts them.

Each runs in a copy of the finished run at reduced settings; its results must be those of that run, to the byte.
"""

import errno
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from nnlab import stage
from nnlab.training.state import STATE, load_tensors
from tests import quick
from tests.test_files import largest_file

pytestmark = pytest.mark.slow
resolved = cache(quick.resolved)


class Workplace:
    """A copy of the finished run, without the results of one stage, which is run again."""

    def __init__(self, finished: Path, tree: Path, name: str) -> None:
        found = resolved(finished)[name]
        quick.clone(finished, tree)
        self.tree, self.name = tree, name
        self.command = [sys.executable, *shlex.split(found.cmd.replace("$DVC_STAGE", name))[1:]]
        self.inputs = [dep.def_path for dep in found.deps if dep.def_path.startswith("data/")]
        self.right = {out.def_path: quick.hashes(finished / out.def_path) for out in found.outs}
        for out in self.right:
            shutil.rmtree(tree / out) if (tree / out).is_dir() else (tree / out).unlink()

    def start(self) -> subprocess.Popen[str]:
        options = {"cwd": self.tree, "env": quick.environment(self.tree), "start_new_session": True, "text": True}
        return subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)

    def run(self, code: int = 0) -> str:
        """Run the stage to its end, with this exit code; the last line of what it complained about."""
        process = self.start()
        said = process.communicate(timeout=600)[1]
        assert "Traceback" not in said, said
        assert process.returncode == code, said
        return said.splitlines()[-1] if said else ""

    def call(self, monkeypatch: pytest.MonkeyPatch) -> int:
        """Run the stage in this process, which is quicker; its exit code."""
        monkeypatch.chdir(self.tree)
        monkeypatch.setenv("DVC_STAGE", self.name)
        return stage.call(import_module(f"stages.{Path(self.command[1]).stem}").main, self.command[2:])

    def found(self) -> dict[str, dict[str, str]]:
        return {out: quick.hashes(self.tree / out) for out in self.right}

    def states(self) -> list[int]:
        """The step of the saved state, if there is one."""
        saved = [load_tensors(state)[1] for state in self.tree.glob(f".resume/*/{STATE}")]
        return [values.get("step", values.get("iteration")) for values in saved]


@pytest.fixture
def place(quick_run: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Workplace:
    """Of the stage that the test gives as its parameter."""
    return Workplace(quick_run, tmp_path / "tree", request.param)


@pytest.mark.parametrize("place", ["adain_train", "gatys_stylize@main"], indirect=True)  # those that save states
def test_a_training_that_is_killed_goes_on_from_its_state_to_the_same_bits(place: Workplace) -> None:
    """Killed twice, each time when it has saved a state that is newer than the one that it began with."""
    for _ in range(2):
        before, process, deadline = place.states(), place.start(), time.monotonic() + 300
        while (now := place.states()) == before:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert now > before, "it began anew"
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    place.run()
    assert place.found() == place.right
    assert not place.states()


@pytest.mark.parametrize("place", ["fashion_train", "autoencoder_evaluate"], indirect=True)
def test_a_stage_in_another_folder_makes_the_same_bytes(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    assert place.call(monkeypatch) == 0
    assert place.found() == place.right


@pytest.mark.parametrize("place", ["fashion_evaluate"], indirect=True)
def test_a_full_disk_is_one_line_with_nothing_half_written(place: Workplace) -> None:
    """No file may grow beyond 64 KiB: what a full disk is to a writer."""
    with largest_file(64 << 10):
        line = place.run(code=1)
    assert line.startswith("fashion_evaluate: error: ")
    assert line.endswith(os.strerror(errno.EFBIG))
    for out, names in place.found().items():
        assert names.items() <= place.right[out].items(), f"{out} is not whole"
    place.run()
    assert place.found() == place.right


@pytest.mark.parametrize("place", ["fashion_evaluate", "gatys_figures"], indirect=True)
@pytest.mark.parametrize("damage", ["missing", "empty"])
def test_an_input_that_is_missing_or_damaged_is_named(place: Workplace, damage: str, monkeypatch, capfd) -> None:
    path = place.tree / place.inputs[-1]
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    if damage == "empty":
        path.write_bytes(b"")
    assert place.call(monkeypatch) == 1
    line = capfd.readouterr().err.splitlines()[-1]
    assert line.startswith(f"{place.name}: error: ")
    assert place.inputs[-1] in line
    assert not any(place.found().values())
