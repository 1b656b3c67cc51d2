"""The scripts in benchmarks/ run; in RESULTS.md each machine's figures are kept apart, a new run replaces its own."""

import argparse
import importlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch

from nnlab.adain.weights import load_encoder, save_encoder
from tests import datasets
from tests.adain.training import make_held_out, make_pools
from tests.test_vgg import random_weights

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py") if "__main__" in path.read_text("utf-8"))


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[..., ModuleType]:
    """`script(name, *arguments)` is the module benchmarks/<name>.py, whose `main` will find these arguments."""

    def load(name: str, *arguments: object) -> ModuleType:
        monkeypatch.syspath_prepend(ROOT / "benchmarks")
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, arguments)])
        return importlib.import_module(name)

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


def test_the_committed_file_is_as_this_script_writes_it(run):
    committed = (ROOT / "benchmarks/RESULTS.md").read_text(encoding="utf-8")
    run.RESULTS.write_text(committed, encoding="utf-8")
    sections = run.earlier()
    assert sections
    assert all(sections.values())
    run.write(sections)
    assert run.RESULTS.read_text(encoding="utf-8") == committed


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


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder of data with small pictures, packed and held out, and an encoder of random weights."""
    (tmp_path / "models/adain").mkdir(parents=True)
    save_encoder(random_weights("block4_conv1"), tmp_path / "models/adain/encoder.safetensors", {})
    make_pools(tmp_path / "pools")
    make_held_out(tmp_path / "raw/pictures", ["germany_schwerinPalace"], ["portrait_of_pere_tanguy"])
    return tmp_path


def test_recipes_are_trained_judged_and_drawn(script, data, capsys, monkeypatch):
    recipes = script("adain_recipes", "--data", data, "--minutes", 0, "--figure", data / "pair.png")
    crops = [{"share": 1.0, "crop": 16, "sides": [32]}]
    small = {"crops": crops, "batch_size": 1, "start": "random", "optimizer": "adam"}
    monkeypatch.setattr(recipes, "RECIPES", {name: recipes.RECIPES[name] | small for name in recipes.RECIPES})
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--only", recipes.DEFAULT, recipes.NO_IDENTITY])
    recipes.main()
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines() if "1 of 1" in line]
    assert [row[0] for row in rows] == [f"| {recipes.DEFAULT}", f"| {recipes.NO_IDENTITY}"]
    assert all(len(row) == 8 for row in rows)
    assert (data / "pair.png").stat().st_size > 10_000


def test_the_step_agrees_with_the_peer_in_plain_modules(script, data, capsys, monkeypatch):
    step = script("adain_step")
    monkeypatch.setattr(step, "STEPS", 1)
    monkeypatch.setattr(step, "matrix_rate", lambda dtype, device: 1e12)
    options = argparse.Namespace(
        encoder=data / "models/adain/encoder.safetensors", pictures=data / "raw/pictures", crop=32, batch=1, rounds=1
    )
    step.steps_table(options, torch.device("cpu"), [torch.float32])
    said = capsys.readouterr().out
    assert "Same losses from the same weights" in said
    assert len([line for line in said.splitlines() if "float32 |" in line]) == 4


def test_stylising_gives_the_peers_picture(script, data, capsys):
    arguments = ["--encoder", data / "models/adain/encoder.safetensors", "--pictures", data / "raw/pictures"]
    script("adain_stylize", *arguments, "--size", 32, "--rounds", 1).main()
    apart = re.search(r"differ by at most (\d+) of 255", capsys.readouterr().out)
    assert apart is not None
    assert int(apart[1]) <= 1


def test_the_sheet_measures_a_result_and_lays_out_rows(script, data):
    sheet = script("adain_sheet")
    encoder = load_encoder(data / "models/adain/encoder.safetensors")
    picture, other = datasets.photo(1), datasets.photo(2)
    content, style, total, edges = sheet.scores(encoder, picture, picture, picture)
    assert (round(content, 4), round(style, 4), round(total, 4), round(edges, 4)) == (0, 0, 0, 1)
    assert sheet.scores(encoder, picture, other, other)[3] < 0.99
    whole = sheet.sheet([("first", [picture, other, other, picture])] * 2)
    width, height = picture.size
    assert whole.size == (4 * (width + sheet.GAP), 2 * (height + sheet.GAP + sheet.LINE))
    assert whole.crop((0, sheet.LINE, width, sheet.LINE + height)).tobytes() == picture.convert("RGB").tobytes()


def test_growth_on_tiny_data(script, monkeypatch, tmp_path, capsys):
    growth = script("growth")
    name = "packing and reading a set"
    _, _, *units = growth.SERIES[name]
    monkeypatch.setattr(growth, "SERIES", {name: (None, [3, 6], *units)})
    monkeypatch.setattr(growth, "FOLDER", tmp_path)
    monkeypatch.setattr(growth, "machine", lambda: "2 cores of Some CPU (avx512_bf16)")
    growth.main()
    said = capsys.readouterr().out
    assert [line.split()[7] for line in said.splitlines() if line.startswith("| packing")] == ["3", "6"]
    assert [path.name for path in tmp_path.iterdir()] == ["growth-2-cores-of-some-cpu-avx512_bf16.png"]
    assert "(growth-2-cores-of-some-cpu-avx512_bf16.png)" in said
