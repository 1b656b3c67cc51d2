"""Tensors on disk; the state of an interrupted job, and that no job is done twice at once."""

import os
import pickle
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

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
        with pytest.raises(UserError, match=r"a\.safetensors: not a whole safetensors file .* run `dvc repro`$"):
            load_tensors(path)
    assert not Path("owned").exists()
    with pytest.raises(UserError, match="not found; run `dvc repro` to make it"):
        load_tensors(workdir / "nothing")


@pytest.fixture
def _project(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(workdir, {"data/a": b"", "data.bin": b"", "code.py": b""})
    monkeypatch.setitem(sys.modules, "nnlab.code", SimpleNamespace(__file__="code.py"))


def folder(name: str = "job", settings: object = (1, 2)) -> Path:
    return resume_dir(name, settings, [Path("data"), Path("data.bin")])


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
        first, *others = map(folder, ["job", "job-2", "jobs", "jo"])
        assert folder("job", settings=5).exists()
        assert not first.exists()
        assert all(other.exists() for other in others)

    def test_a_job_runs_once_at_a_time_and_is_free_again_after_a_kill(self) -> None:
        code = (
            "import time; from nnlab.training.state import resume_dir\n"
            "resume_dir('job', 1, []); print('taken', flush=True); time.sleep(60)"
        )
        busy = "job is running already in this folder; wait until it ends, or stop it"
        with subprocess.Popen([sys.executable, "-c", code], env=environment(ROOT), stdout=subprocess.PIPE) as other:
            assert other.stdout.readline() == b"taken\n"  # type: ignore[union-attr]
            with pytest.raises(UserError, match=busy):
                folder("job")
            folder("job-2")
            other.kill()
            other.wait()
            folder("job")
