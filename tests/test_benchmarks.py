"""The scripts in benchmarks/ run on tiny data; in RESULTS.md each machine's figures are kept apart."""

import importlib.util
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests import datasets
from tests.quick import ROOT

SCRIPTS = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py"))


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[..., ModuleType]:
    """`script(name, *arguments)` is the module benchmarks/<name>.py, whose `main` will find these arguments."""

    def load(name: str, *arguments: object) -> ModuleType:
        monkeypatch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, arguments)])
        spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", ROOT / "benchmarks" / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


def test_a_run_replaces_the_figures_of_its_machine_alone(script, monkeypatch, tmp_path: Path) -> None:
    run = script("run", "--only", "startup")
    monkeypatch.setattr(run, "RESULTS", tmp_path / "RESULTS.md")
    monkeypatch.setattr(run, "machine", lambda: "laptop")
    monkeypatch.setattr(run, "measured", lambda script, arguments: f"measured by {script}")
    title = run.BENCHMARKS["startup"][0]
    run.write({title: {"laptop": "slow", "server": "fast\n\n| a | table |"}, "Gone": {"laptop": "1"}})
    run.main()
    assert list(run.earlier()) == [title]
    laptop, server = run.earlier()[title].values()
    assert laptop.endswith("measured by startup.py")
    assert re.search(r", commit (unknown|[0-9a-f]{9,}(-dirty)?);", laptop)
    assert server == "fast\n\n| a | table |"


def test_the_committed_file_is_as_this_script_writes_it(script, monkeypatch, tmp_path: Path) -> None:
    run = script("run")
    committed = run.RESULTS.read_text(encoding="utf-8")
    sections = run.earlier()
    monkeypatch.setattr(run, "RESULTS", tmp_path / "RESULTS.md")
    run.write(sections)
    assert run.RESULTS.read_text(encoding="utf-8") == committed


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_can_be_imported_and_says_what_it_does(script, name, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        script(name, "--help").main()
    assert ended.value.code == 0
    assert f"usage: {name}.py" in capsys.readouterr().out


def test_fashion_training_on_tiny_data(script, tmp_path, capsys) -> None:
    datasets.write_bars(tmp_path)
    script("fashion_training", tmp_path, "--rounds", 1).main()
    assert capsys.readouterr().out.count(" % |") == 4  # a row with an accuracy for each side
