"""Single stages in workplaces of their own, beside a finished run, so that faults can be put in and results compared.

A workplace holds links to the code and to the inputs that a stage declares, and nothing else: a stage that reads more
fails here. Its results must be those of the finished run, to the byte.
"""

import glob
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from nnlab.files import sha256
from tests import quick

FULL = os.environ.get("NNLAB_FAULTS") == "full"
RESUMABLE = ("adain_train", "gatys_stylize@main")  # adain_prepare is, too, but keeps shards and no states


@dataclass(frozen=True)
class Job:
    """A stage: its command, the folder where it runs, its data inputs and outputs, all below the project's folder."""

    name: str
    command: str
    folder: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    kept: bool  # whether DVC leaves the outputs there before a run (persist)


def jobs(tree: Path) -> dict[str, Job]:
    """Every stage of the project in `tree`, as DVC resolves it."""
    from dvc.repo import Repo

    def inside(items: list) -> tuple[str, ...]:
        return tuple(os.path.relpath(item.fs_path, tree) for item in items)

    found = {}
    with Repo(str(tree)) as repo:
        for stage in repo.index.stages:
            deps = [dep for dep in stage.deps if dep.def_path and not type(dep).__name__.startswith("Params")]
            found[stage.addressing.rsplit(":", 1)[-1]] = Job(
                name=stage.addressing.rsplit(":", 1)[-1],
                command=stage.cmd,
                folder=os.path.relpath(stage.wdir, tree),
                inputs=tuple(p for p in inside(deps) if not p.startswith(("src", "stages"))),
                outputs=inside(stage.outs),
                kept=any(out.persist for out in stage.outs),
            )
    return found


class Workplace:
    """A folder in which one stage can run and fail without harm to the finished run in `tree`."""

    def __init__(self, tree: Path, root: Path, job: Job) -> None:
        self.tree, self.root, self.job = tree, root, job
        needed = {"src", "stages", "params.yaml", *job.inputs}
        for name in needed:
            link = root / name
            if not link.is_symlink():
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(tree / name)
        (root / job.folder).mkdir(parents=True, exist_ok=True)

    def start(self, output: IO[str] | int = subprocess.PIPE, through: Sequence[str] = ()) -> subprocess.Popen[str]:
        """Start the stage as DVC does: without its old outputs, in a process group of its own.

        `through` is a command that runs the one that follows it, in a changed way.
        """
        if not self.job.kept:
            self.clear()
        variables = {**quick.environment(self.tree), "NNLAB_MIRROR": str(self.tree / "data/raw")}
        return subprocess.Popen(
            [*through, *shlex.split(self.job.command.replace("python ", f"{shlex.quote(sys.executable)} ", 1))],
            cwd=self.root / self.job.folder,
            env=variables,
            text=True,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def run(self, through: Sequence[str] = ()) -> tuple[int, str]:
        """Run the stage to its end; its exit code and what it printed."""
        process = self.start(through=through)
        said, _ = process.communicate(timeout=600)
        return process.returncode, said

    def kill_when(self, ready: Callable[[], bool], seconds: float = 300.0) -> bool:
        """Start the stage and kill it as soon as `ready()` is true; False if it had ended by then."""
        with open(os.devnull, "w") as nothing:
            process = self.start(nothing)
        deadline = time.monotonic() + seconds
        while process.poll() is None and not ready():
            assert time.monotonic() < deadline, f"{self.job.name} was not ready within {seconds:.0f} s"
            time.sleep(0.01)
        if process.poll() is not None:
            return False
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True

    def clear(self) -> None:
        """Remove the outputs."""
        for name in self.job.outputs:
            path = self.root / name
            if path.is_dir():
                shutil.rmtree(path)
            elif path.exists():  # on a read-only disk even the removal of nothing is refused
                path.unlink()

    def assert_right(self) -> None:
        """The outputs are those of the finished run, and nothing temporary is left beside them."""
        assert_right(self.root, self._finished())

    def assert_nothing_half_written(self) -> None:
        """Each file that is there is one of the finished run's, whole."""
        assert_whole(self.root, self._finished())

    def _finished(self) -> dict[str, dict[str, str]]:
        return {name: hashes(self.tree / name) for name in self.job.outputs}

    def replace_input(self, name: str) -> Path:
        """Give the workplace a copy of an input of its own, to damage."""
        link = self.root / name
        link.unlink()
        source = self.tree / name
        shutil.copytree(source, link) if source.is_dir() else shutil.copyfile(source, link)
        return link


def hashes(path: Path) -> dict[str, str]:
    """SHA-256 of a file, or of every file below a folder, by name; nothing if there is nothing."""
    if path.is_file():
        return {path.name: sha256(path)}
    return {str(file.relative_to(path)): sha256(file) for file in sorted(path.rglob("*")) if file.is_file()}


def states(root: Path) -> list[Path]:
    """Saved states of a resumable stage, oldest first."""
    return sorted(root.glob(".resume/*/state-*.safetensors"), key=lambda path: path.name)


def assert_right(root: Path, right: dict[str, dict[str, str]]) -> None:
    """The outputs in `root` have the hashes `right` (see `hashes`), and nothing temporary is left beside them."""
    for name, expected in right.items():
        path = root / name
        assert hashes(path) == expected, f"{name} differs"
        left = [other.name for other in path.parent.glob(f".{glob.escape(path.stem[:40])}-*")]
        assert not left, f"left beside {name}: {', '.join(left)}"


def assert_whole(root: Path, right: dict[str, dict[str, str]]) -> None:
    """Each output's file that is there has the hash that `right` (see `hashes`) gives it: none is half-written."""
    for name, expected in right.items():
        for inner, digest in hashes(root / name).items():
            assert expected.get(inner) == digest, f"{name}/{inner} is not whole"


def assert_one_line(code: int, said: str, *words: str) -> None:
    """The stage ended as an error of the user's side does: exit code 1, one line at the end, no traceback."""
    assert code == 1, said
    assert "Traceback" not in said, said
    last = said.strip().splitlines()[-1]
    assert ": error: " in last, said
    for word in words:
        assert word in last, f"{word!r} is not in: {last}"
