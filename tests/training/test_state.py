"""Tensors on disk; the state of an interrupted job, and that no job is done twice at once."""

import errno
import os
import pickle
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
import torch

from nnlab.errors import UserError
from nnlab.training.state import load_tensors, resume_dir, save_tensors
from tests.datasets import write_files
from tests.quick import ROOT, environment

TENSORS = {"w": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([1, 2], dtype=torch.int64)}


def test_tensors_come_back_as_they_went_in_the_same_bytes(tmp_path: Path) -> None:
    metadata = {str(i): "姓名" for i in range(9)}
    for name in "ab":
        save_tensors(tmp_path / f"{name}.safetensors", {**TENSORS, "t": TENSORS["w"].T}, metadata)
    found, about = load_tensors(tmp_path / "a.safetensors")
    assert about == metadata
    assert all(torch.equal(found[name], TENSORS[name]) for name in TENSORS)
    assert torch.equal(found["t"], TENSORS["w"].T)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


class Evil:
    def __reduce__(self) -> tuple:
        return os.mkdir, ("owned",)


def test_what_is_no_whole_file_is_one_line_and_nothing_of_it_runs(workdir: Path) -> None:
    path = workdir / "a.safetensors"
    save_tensors(path, TENSORS)
    whole = path.read_bytes()
    for content in (b"", whole[:7], whole[:60], whole[:-1], b"<html>404</html>", pickle.dumps(Evil())):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"a\.safetensors: not a whole safetensors file .*chmod -R u\+w"):
            load_tensors(path)
    assert not Path("owned").exists()
    with pytest.raises(UserError, match="not found; what the pipeline has is made by `dvc repro`"):
        load_tensors(workdir / "nothing")


@pytest.fixture
def _project(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(workdir, {"data/a": b"", "data.bin": b"", "code.py": b"", "project/dvc.yaml": b""})
    monkeypatch.setitem(sys.modules, "nnlab.code", SimpleNamespace(__file__="code.py"))


def folder(name: str = "job", settings: object = (1, 2)) -> Path:
    return resume_dir(name, settings, [Path("data"), Path("data.bin")])


def holding_job(**variables: str) -> subprocess.Popen[str]:
    """A process that prints the folder of its job, and stays."""
    code = "import time, nnlab.training.state as s; print(s.resume_dir('job', 1, []), flush=True); time.sleep(60)"
    command, environ = [sys.executable, "-c", code], environment(ROOT) | variables
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)


@pytest.mark.usefixtures("_project")
class TestResumeDir:
    @pytest.mark.parametrize(("name", "content"), [("code.py", "a = 2"), ("data/b", ""), ("data.bin", "other")])
    def test_a_changed_job_starts_anew_and_says_so(self, name: str, content: str, capsys: Any) -> None:
        old = folder()
        (old / "state").touch()
        assert (folder() / "state").exists()
        Path(name).write_text(content)
        assert folder() != old
        assert not old.exists()
        assert capsys.readouterr().err == "job: starts anew; the unfinished run had other settings, data or code\n"

    def test_other_settings_remove_the_state_and_leave_that_of_other_jobs(self) -> None:
        first, *others = [*map(folder, ["job", "job-2", "jobs", "jo"]), resume_dir("job", 5, [], "another")]
        assert folder("job", settings=5).exists()
        assert not first.exists()
        assert all(other.exists() for other in others)

    def test_a_job_runs_once_at_a_time_and_is_free_again_after_a_kill(self) -> None:
        with holding_job() as other:
            assert other.stdout.readline().startswith(".resume/job-")  # type: ignore[union-attr]
            with pytest.raises(UserError, match="job is running already in this folder; wait until it ends, or stop"):
                folder("job")
            folder("job-2")
            other.kill()
            other.wait()
            folder("job")

    def test_of_queued_experiments_they_lie_in_the_project_and_stay(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DVC_ROOT", "project")
        found = [folder(), folder(settings=5)]
        assert [path.parent for path in found if path.exists()] == [Path("project/.resume/queued")] * 2

    def test_two_queued_experiments_that_do_the_same_have_a_folder_each(self) -> None:
        with holding_job(DVC_ROOT="project") as one, holding_job(DVC_ROOT="project") as other:
            found = {Path(process.stdout.readline()).parent for process in (one, other)}  # type: ignore[union-attr]
            assert found == {Path("project/.resume/queued"), Path(".resume")}
            for process in (one, other):
                process.kill()

    def test_a_disk_without_locks_is_told_and_trained_on(self, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
        monkeypatch.setattr("fcntl.lockf", Mock(side_effect=OSError(errno.ENOLCK, "No locks available")))
        assert folder().is_dir()
        assert capsys.readouterr().err == "job: this disk has no locks (No locks available); do not start it twice\n"
