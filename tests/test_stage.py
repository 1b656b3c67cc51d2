"""How a stage script ends: arguments, exit codes, one line for the user."""

import ast
import errno
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from nnlab import stage
from nnlab.errors import UserError

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted(path.name for path in (ROOT / "stages").glob("*.py"))


def failing(error: BaseException):
    def main() -> None:
        raise error

    return main


def the_line(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "Traceback" not in captured.err
    return captured.err


def test_arguments_get_the_types_of_the_signature() -> None:
    seen = []

    def main(data: Path, job: str, params: Path = Path("params.yaml")) -> None:
        seen.append((data, job, params))

    assert stage.call(main, ["data/raw", "7"]) == 0
    assert stage.call(main, ["a b", "任务", "other.yaml"]) == 0
    assert seen == [(Path("data/raw"), "7", Path("params.yaml")), (Path("a b"), "任务", Path("other.yaml"))]


@pytest.mark.parametrize("arguments", [[], ["a"], ["a", "b", "c", "d"]])
def test_a_wrong_number_of_arguments_prints_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    def main(data: Path, model: Path, params: Path = Path("params.yaml")) -> None:
        raise AssertionError("must not run")

    assert stage.call(main, arguments) == 2
    assert the_line(capsys).endswith("DATA MODEL PARAMS\n")


def test_a_users_error_is_one_line_and_exit_code_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert stage.call(failing(UserError("fashion.epochs = 0:\n  must be   at least 1")), []) == 1
    assert the_line(capsys).endswith(": error: fashion.epochs = 0: must be at least 1\n")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named_with_the_way_out(code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert stage.call(failing(OSError(code, os.strerror(code), "plots/a.png")), []) == 1
    line = the_line(capsys)
    assert f"plots/a.png: {os.strerror(code)}; free some space and run the same command again" in line


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(errno.EACCES, "x", "out"), "out: Permission denied"),
        (OSError(errno.EROFS, "x", "out"), "out: Read-only file system"),
        (FileNotFoundError(errno.ENOENT, "x", "in"), "in: No such file or directory"),
        (OSError("cannot write"), "cannot write"),
        (OSError(), "OSError"),
        (MemoryError(), "not enough memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9 bytes"), "not enough memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "not enough memory"),
    ],
)
def test_what_the_system_refuses_is_one_line(error: Exception, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert stage.call(failing(error), []) == 1
    assert words in the_line(capsys)


def test_a_killed_helper_process_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> None:
        with ProcessPoolExecutor(1) as pool:
            pool.submit(os._exit, 9).result()

    assert stage.call(main, []) == 1
    assert "a helper process was killed, probably for lack of memory; close" in the_line(capsys)


def test_ctrl_c_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert stage.call(failing(KeyboardInterrupt()), []) == 130
    assert "run the same command again" in the_line(capsys)


@pytest.mark.parametrize("error", [RuntimeError("shape mismatch"), KeyError("x"), AssertionError("wrong")])
def test_a_defect_of_ours_keeps_its_traceback(error: Exception) -> None:
    with pytest.raises(type(error)):
        stage.call(failing(error), [])


def test_run_ends_the_process_with_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["stages/x.py", "one", "two"])
    with pytest.raises(SystemExit) as caught:
        stage.run(failing(UserError("x")))
    assert caught.value.code == 2


def test_a_real_full_disk_is_recognised_in_every_writer(tmp_path: Path) -> None:
    """Files past the process's size limit stand for the full disk: each writer reports it in its own way."""
    code = (
        "import resource, sys; sys.argv = ['stage']; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "import numpy as np, torch; from pathlib import Path\n"
        "from nnlab import stage; from nnlab.files import atomic; from nnlab.training.state import save_tensors\n"
        "from nnlab.data.images import save_image; from nnlab.results import write_csv\n"
        "def tensors(out: Path) -> None: save_tensors(out, {'a': torch.zeros(9000)})\n"
        "def picture(out: Path) -> None: save_image(torch.rand(1, 3, 300, 300), out)\n"
        "def table(out: Path) -> None: write_csv(out, ['a'], [[i] for i in range(9000)])\n"
        "for main, name in ((tensors, 'a.safetensors'), (picture, 'a.png'), (picture, 'a.jpg'), (table, 'a.csv')):\n"
        "    assert stage.call(main, [name]) == 1\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    expected = [f"stage: error: a.{end}: File too large" for end in ("safetensors", "png", "jpg", "csv")]
    assert [line.split(";")[0] for line in result.stderr.splitlines()] == expected
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_explains_itself_without_arguments(script: str, tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, str(ROOT / "stages" / script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 2
    assert result.stderr.startswith("usage: ")
    assert result.stderr.count("\n") == 1


def test_a_stage_that_needs_no_torch_does_not_import_it() -> None:
    """It would take some seconds more; what a stage imports is read from its script."""
    light = {"adain_export.py", "adain_prepare.py", "gatys_figures.py"}
    scripts = [name for name in SCRIPTS if name in light or name.startswith(("fetch_", "report_"))]
    assert light < {*scripts}
    lines = ["import sys"]
    for name in scripts:
        nodes = ast.walk(ast.parse((ROOT / "stages" / name).read_text(encoding="utf-8")))
        lines += [ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
        lines.append(f"assert 'torch' not in sys.modules, '{name} imports torch'")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    subprocess.run([sys.executable, "-c", "\n".join(lines)], env=environment, check=True)
