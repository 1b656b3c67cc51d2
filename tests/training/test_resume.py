"""The folder of an interrupted job's state."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from nnlab.errors import UserError
from nnlab.training.state import resume_dir

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("stage", "module"),
    [("adain_prepare", "adain.prepare"), ("adain_train", "adain.launch"), ("gatys_stylize", "gatys.results")],
)
def test_a_state_belongs_to_the_code_that_its_stage_depends_on(stage: str, module: str) -> None:
    """Otherwise DVC would run the stage again after an edit, and the state that other code made would go on."""
    found = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"][stage]
    code = importlib.import_module(f"nnlab.{module}").CODE
    deps = {dep for dep in found.get("do", found)["deps"] if dep.startswith("src/")}
    assert {str(path.relative_to(ROOT)) for path in code} == deps - {"src/nnlab/training/resume.py"}


class TestResumeDir:
    @pytest.fixture(autouse=True)
    def _project(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        Path("code").mkdir()
        Path("code/a.py").write_text("a = 1", encoding="utf-8")
        Path("data.bin").write_bytes(b"data")

    def folder(self, name: str = "job", settings: object = (1, 2), data: tuple[str, ...] = ("data.bin",)) -> Path:
        return resume_dir(name, settings, [Path("code")], [Path(p) for p in data])

    def test_the_same_job_finds_its_state(self) -> None:
        (self.folder() / "state").write_text("x", encoding="utf-8")
        assert (self.folder() / "state").exists()

    @pytest.mark.parametrize("change", ["settings", "code", "new file", "renamed", "data"])
    def test_a_changed_job_does_not_and_the_old_state_is_removed(self, change: str) -> None:
        old = self.folder()
        settings: object = (1, 2)
        if change == "settings":
            settings = (1, 3)
        elif change == "code":
            Path("code/a.py").write_text("a = 2", encoding="utf-8")
        elif change == "new file":
            Path("code/b.py").write_text("", encoding="utf-8")
        elif change == "renamed":
            Path("code/a.py").rename("code/b.py")
        else:
            Path("data.bin").write_bytes(b"other")
        assert self.folder(settings=settings) != old
        assert not old.exists()

    def test_compiled_files_do_not_matter(self) -> None:
        old = self.folder()
        Path("code/__pycache__").mkdir()
        Path("code/__pycache__/a.pyc").write_bytes(b"x")
        assert self.folder() == old

    @pytest.mark.parametrize("other", ["job-2", "jobs", "jo", "job-2-[x]"])
    def test_another_job_keeps_its_state(self, other: str) -> None:
        first, second = self.folder("job"), self.folder(other)
        self.folder("job", settings=5)
        self.folder(other, settings=6)
        assert not first.exists()
        assert not second.exists()
        assert len([path for path in Path(".resume").iterdir() if path.name != ".jobs"]) == 2

    def test_a_job_runs_once_at_a_time_and_is_free_again_after_a_kill(self) -> None:
        code = (
            "import time; from nnlab.training.state import resume_dir\n"
            "resume_dir('job', 1, [], []); print('taken', flush=True); time.sleep(60)"
        )
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        with subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE) as other:
            assert other.stdout is not None
            other.stdout.readline()
            with pytest.raises(UserError, match="job is running already in this folder"):
                self.folder("job")
            self.folder("job-2")
            other.kill()
            other.wait()
            self.folder("job")

    def test_of_several_processes_the_first_alone_touches_the_folder(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The others do not hold the job: what they removed might be the state of one that runs."""
        live = self.folder()
        monkeypatch.setenv("RANK", "1")
        other = self.folder(settings=2)
        assert live.exists()
        assert not other.exists()
        monkeypatch.setenv("RANK", "0")
        assert self.folder(settings=2) == other
        assert other.exists()

    def test_settings_may_be_pydantic_sections_and_paths(self) -> None:
        from nnlab.sections import Section

        class Some(Section):
            a: int

        def key(value: int) -> Path:
            return self.folder(settings={"s": Some(a=value), "p": Path("x")})

        first = key(1)
        assert key(1) == first
        assert key(2) != first

    def test_a_missing_input_is_named(self) -> None:
        with pytest.raises(OSError, match="nothing"):
            self.folder(data=("nothing.bin",))
