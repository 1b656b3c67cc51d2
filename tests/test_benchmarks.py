"""benchmarks/RESULTS.md: each machine's figures are kept apart, and a new run replaces its own alone."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """benchmarks/run.py with an empty results file, on a machine named "laptop", whose scripts print their names."""
    spec = importlib.util.spec_from_file_location("benchmarks_run", ROOT / "benchmarks/run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "RESULTS", tmp_path / "RESULTS.md")
    monkeypatch.setattr(module, "machine", lambda: "laptop")
    monkeypatch.setattr(module, "measured", lambda script, arguments: f"measured by {script}")
    return module


def test_a_new_run_replaces_the_figures_of_its_machine(run, monkeypatch):
    title = run.BENCHMARKS["startup"][0]
    run.write({title: {"laptop": "slow", "server": "fast\n\n| a | table |"}, "Gone": {"laptop": "1"}})
    monkeypatch.setattr("sys.argv", ["run.py", "--only", "startup"])
    run.main()
    sections = run.earlier()
    assert list(sections) == [title]
    assert list(sections[title]) == ["laptop", "server"]
    assert sections[title]["laptop"].endswith("measured by startup.py")
    assert sections[title]["server"] == "fast\n\n| a | table |"


def test_what_needs_a_peer_that_is_not_there_is_left_as_it_is(run, monkeypatch, capsys):
    title = run.BENCHMARKS["adain_step"][0]
    run.write({title: {"laptop": "of last week"}})
    monkeypatch.setattr("sys.argv", ["run.py", "--adain", "", "--only", "adain_step"])
    run.main()
    assert run.earlier() == {title: {"laptop": "of last week"}}
    assert "needs --adain" in capsys.readouterr().err


def test_the_committed_file_is_as_this_script_writes_it(run):
    committed = (ROOT / "benchmarks/RESULTS.md").read_text(encoding="utf-8")
    run.RESULTS.write_text(committed, encoding="utf-8")
    sections = run.earlier()
    assert sections
    assert all(sections.values())
    run.write(sections)
    assert run.RESULTS.read_text(encoding="utf-8") == committed
