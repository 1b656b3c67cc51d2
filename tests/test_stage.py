"""How a stage script and the command `nnlab` end: arguments, exit codes, one line for the user."""

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch

from nnlab import cli, stage
from nnlab.data.images import save_image
from nnlab.errors import UserError
from nnlab.params import Params, load_params
from nnlab.results import write_csv
from nnlab.training.state import save_tensors
from tests.quick import ROOT, environment
from tests.test_files import largest_file

WITHOUT_TORCH = ("adain_prepare", "fetch", "fetch_pair", "fetch_pictures", "fetch_set", "fetch_vgg", "gatys_figures",
                 "report_build")  # fmt: skip


def failing(error: BaseException):
    def main() -> None:
        raise error

    return main


def the_line(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def test_arguments_get_the_types_of_the_signature(capsys: pytest.CaptureFixture[str]) -> None:
    seen = []

    @stage.script
    def main(data: Path, job: str, params: Params) -> None:
        seen.append((data, job, params.adain.alpha))

    assert stage.call(main, ["data/raw", "7", str(ROOT / "params.yaml")]) == 0
    main(Path("a b"), "任务", ROOT / "params.yaml")
    alpha = load_params(ROOT / "params.yaml").adain.alpha
    assert seen == [(Path("data/raw"), "7", alpha), (Path("a b"), "任务", alpha)]
    for wrong in ([], ["a"], ["a", "b", "c", "d"]):
        assert stage.call(main, wrong) == 2
        assert the_line(capsys).endswith("DATA JOB PARAMS\n")
    assert stage.call(main, ["a", "b", "nothing.yaml"]) == 1
    assert "nothing.yaml: not found; run from the project's folder" in the_line(capsys)


ENDS = [
    (UserError("fashion.training.epochs = 0:\n  must be   1"), 1, "fashion.training.epochs = 0: must be 1\n"),
    (OSError(errno.ENOSPC, "x", "a.png"), 1, "a.png: No space left on device; free some space and run the same"),
    (PermissionError(errno.EACCES, "x", "out"), 1, "out: Permission denied\n"),
    (OSError("cannot write"), 1, "cannot write\n"),
    (MemoryError(), 1, "not enough memory; lower the batch or picture sizes"),
    (RuntimeError("CUDA out of memory. Tried to allocate"), 1, "not enough memory; lower the batch or picture sizes"),
    (RuntimeError("DataLoader worker (pid 9) is killed by signal"), 1, "not enough memory for adain.run.workers"),
    (RuntimeError("in DataLoader: unable to allocate shared memory"), 1, "not enough memory for adain.run.workers"),
    (KeyboardInterrupt(), 130, "interrupted"),
]


@pytest.mark.parametrize(("error", "code", "words"), ENDS)
def test_what_a_user_or_a_machine_can_cause_is_one_line(error, code, words, capsys, monkeypatch) -> None:
    monkeypatch.setenv("DVC_STAGE", "report/dvc.yaml:autoencoder_train@denoiser")
    assert stage.call(failing(error), []) == code
    assert the_line(capsys).startswith(f"autoencoder_train@denoiser: error: {words}")
    monkeypatch.setattr(cli.adain, "export", lambda options: failing(error)())
    assert cli.main(["export", "--output", "folder"]) == code
    assert the_line(capsys).startswith(f"nnlab: error: {words}")


@pytest.mark.parametrize("error", [RuntimeError("shape mismatch"), KeyError("x")])
def test_a_defect_of_ours_keeps_its_traceback(error: Exception) -> None:
    with pytest.raises(type(error)):
        stage.call(failing(error), [])


@pytest.mark.skipif(sys.platform != "linux", reason="the setting is glibc's")
def test_a_stage_uses_freed_memory_again() -> None:
    made = "    len(b'x' * 2**24)\n    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)\n"
    script = f"import resource\nfrom nnlab.stage import script\n@script\ndef main() -> None:\n{made}{made}"
    first, second = map(int, subprocess.check_output([sys.executable, "-c", script], env=environment(ROOT)).split())
    assert second - first < 2**24 / os.sysconf("SC_PAGE_SIZE") / 100, "the second block came in new pages"


def test_a_name_that_is_not_utf_8_is_printed_with_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="strict", write_through=True)
    monkeypatch.setattr(sys, "stdout", shown)
    monkeypatch.setattr(cli.adain, "export", lambda options: print(options.output))
    assert cli.main(["export", "--output", os.fsdecode(b"r\xe9sult")]) == 0
    assert shown.buffer.getvalue() == rb"r\udce9sult" + b"\n"


WRITERS = {
    "a.safetensors": lambda path: save_tensors(path, {"a": torch.zeros(9000)}),
    "a.csv": lambda path: write_csv(path, pd.DataFrame({"a": range(9000)})),
    **dict.fromkeys(("a.png", "a.jpg"), lambda path: save_image(torch.rand(1, 3, 300, 300), path)),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_recognised_in_every_writer(tmp_path: Path, capsys, name: str) -> None:
    """Files past the process's size limit stand for the full disk: each writer reports it in its own way."""
    with largest_file(4096):
        assert stage.call(lambda: WRITERS[name](tmp_path / name), []) == 1
    assert f"{name}: File too large\n" in the_line(capsys)
    assert list(tmp_path.iterdir()) == []


def test_every_script_explains_itself_without_arguments_and_starts_without_torch_if_it_can(tmp_path: Path) -> None:
    code = (
        "import runpy, sys\n"
        "for script in sys.argv[1:]:\n"
        "    sys.argv = [script]\n"
        "    try: runpy.run_path(script, run_name='__main__')\n"
        "    except SystemExit as end: print(script, end.code, 'torch' in sys.modules)\n"
    )
    scripts = sorted((ROOT / "stages").glob("*.py"), key=lambda path: path.stem not in WITHOUT_TORCH)
    command = [sys.executable, "-c", code, *map(str, scripts)]
    ended = subprocess.run(command, cwd=tmp_path, env=environment(ROOT), capture_output=True, text=True)
    for path, said in zip(scripts, ended.stdout.splitlines(), strict=True):
        assert said.startswith(f"{path} 2 "), ended.stderr
        assert path.stem not in WITHOUT_TORCH or said.endswith("False"), f"{path.stem} imports torch"
    assert ended.stderr.count("usage: ") == len(scripts)
