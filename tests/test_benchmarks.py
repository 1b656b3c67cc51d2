"""The scripts in benchmarks/ run; in RESULTS.md each machine's figures are kept apart, a new run replaces its own."""

import importlib.util
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests import datasets, faulty_images

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py"))


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[..., ModuleType]:
    """`script(name, *arguments)` is the module benchmarks/<name>.py, whose `main` will find these arguments."""

    def load(name: str, *arguments: object) -> ModuleType:
        monkeypatch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, arguments)])
        spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", ROOT / "benchmarks" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def run(script, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """benchmarks/run.py with an empty results file, on a machine named "laptop", whose scripts print their names."""
    module = script("run")
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


def test_all_tables_of_a_benchmark_and_the_commit_are_in_its_entry(run, monkeypatch):
    monkeypatch.setattr(run, "measured", lambda script, arguments: f"{script} {' '.join(arguments[4:])}".strip())
    monkeypatch.setattr("sys.argv", ["run.py", "--adain", "clone", "--only", "adain_step"])
    run.main()
    (entry,) = run.earlier()[run.BENCHMARKS["adain_step"][0]].values()
    assert re.search(r", commit (unknown|[0-9a-f]{9,}(-dirty)?);", entry)
    assert entry.splitlines()[2:] == ["adain_training.py", "", "adain_training.py --crop 128 --batch 2 --rounds 5"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_can_be_imported_and_says_what_it_does(script, name, capsys):
    with pytest.raises(SystemExit) as ended:
        script(name, "--help").main()
    assert ended.value.code == 0
    assert f"usage: {name}.py" in capsys.readouterr().out


def test_fashion_training_on_tiny_data(script, tmp_path, capsys):
    datasets.write_bars(tmp_path)
    script("fashion_training", tmp_path, "--rounds", 1).main()
    assert capsys.readouterr().out.count(" % |") == 4  # a row with an accuracy for each side


def test_loading_on_tiny_data(script, tmp_path, capsys):
    for folder in ("content", "style"):
        (tmp_path / folder).mkdir()
        for number in range(6):
            faulty_images.photo(number).save(tmp_path / folder / f"{number}.jpg")
    sizes = ["--crop", 32, "--resize", 64, "--batch", 2]
    script("loading", tmp_path / "content", tmp_path / "style", *sizes).main()
    assert "| batch of content and style from memory |" in capsys.readouterr().out


def test_growth_on_tiny_data(script, monkeypatch, tmp_path, capsys):
    growth = script("growth")
    name = "packing and reading a set"
    _, _, *units = growth.SERIES[name]
    monkeypatch.setattr(growth, "SERIES", {name: (None, [3, 6], *units)})
    monkeypatch.setattr(growth, "FOLDER", tmp_path)
    monkeypatch.setattr(growth, "machine", lambda: "2 cores of Some CPU (avx512_bf16)")
    growth.main()
    said = capsys.readouterr().out
    assert [line.split(" | ")[3] for line in said.splitlines() if line.startswith("| packing")] == ["5", "5"]
    assert [path.name for path in tmp_path.iterdir()] == ["growth-2-cores-of-some-cpu-avx512_bf16.png"]
    assert "(growth-2-cores-of-some-cpu-avx512_bf16.png)" in said


def test_growth_counts_one_run_of_what_takes_long(script, monkeypatch):
    growth = script("growth")
    monkeypatch.setattr(growth, "PATIENCE", 0.0)
    assert growth.step(1).runs == 1
    assert growth.stylise(16).runs == 1


def test_a_command_that_fails_or_a_pipeline_that_is_not_up_to_date_is_not_measured(script):
    startup = script("startup")
    assert startup.seconds(["-c", "pass"]) > 0
    with pytest.raises(SystemExit, match="failed: wrong"):
        startup.seconds(["-c", "import sys; sys.exit('wrong')"])
    with pytest.raises(SystemExit, match="not up to date"):
        startup.seconds(["-c", "print('Running stage')"])


def test_reproducibility_tells_precision_and_device_apart(script, monkeypatch):
    reproducibility = script("reproducibility")
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr(reproducibility, "pick_precision", lambda name, device: reproducibility.torch.bfloat16)
    ways = {name: tuple(parameters.values()) for name, (_, parameters) in reproducibility.ways().items()}
    assert next(iter(ways.values())) == ("cpu", "float32")
    assert ways["bfloat16"] == ("cpu", "bfloat16")
    assert (ways["GPU"], ways["GPU, bfloat16"]) == (("cuda", "float32"), ("cuda", "bfloat16"))
