"""The scripts in benchmarks/ run; in RESULTS.md a new run replaces the rows of its machine."""

import importlib
import json
import sys

import numpy as np
import pytest
import torch

from nnlab.adain.data import Batch
from nnlab.adain.model import initial_decoder
from nnlab.adain.train import batch_losses
from nnlab.adain.weights import load_encoder, save_encoder
from nnlab.data.images import read_image
from nnlab.params import load_params
from tests import datasets
from tests.adain.training import SMALL, make_held_out, make_pools, settings
from tests.quick import ROOT
from tests.vgg.test_network import random_weights

SCRIPTS = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py") if "__main__" in path.read_text("utf-8"))


@pytest.fixture
def script(monkeypatch):
    """`script(name, *arguments)` is the module benchmarks/<name>.py, whose `main` will find these arguments."""

    def load(name, *arguments):
        monkeypatch.syspath_prepend(ROOT / "benchmarks")
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, arguments)])
        return importlib.import_module(name)

    return load


@pytest.fixture
def run(script, monkeypatch, tmp_path):
    """benchmarks/run.py with a results file of its own, on a machine named "laptop", whose scripts give one row."""
    module = script("run")
    monkeypatch.setattr(module, "RESULTS", tmp_path / "RESULTS.md")
    monkeypatch.setattr(module, "machine", lambda: "laptop")
    monkeypatch.setattr(module, "measured", lambda script, arguments: [[f"by {script}", "2", "", "", "", ""]])
    return module


def test_a_new_run_replaces_the_rows_of_its_machine(run, monkeypatch):
    known = ("Start: slow", "laptop"), ("Start: fast", "server"), ("Gatys: x", "laptop"), ("Gone: y", "pc")
    slow, fast, gatys, gone = ([what, "1", "", "", "", "", machine, "long ago"] for what, machine in known)
    run.write([slow, fast, gatys, gone])
    assert run.earlier() == [gatys, slow, fast]
    monkeypatch.setattr("sys.argv", ["run.py", "--only", "startup"])
    run.main()
    *kept, new = run.earlier()
    assert kept == [gatys, fast]
    assert new[:7] == ["Start: by startup.py", "2", "", "", "", "", "laptop"]


def test_the_committed_file_is_as_this_script_writes_it(run):
    committed = (ROOT / "benchmarks/RESULTS.md").read_text(encoding="utf-8")
    run.RESULTS.write_text(committed, encoding="utf-8")
    assert run.earlier()
    run.write(run.earlier())
    assert run.RESULTS.read_text(encoding="utf-8") == committed


def test_a_row_has_medians_ratio_and_spread(script):
    measure = script("measure")
    found = measure.row("a", [2.0, 1.0, 6.0], [3.0, 5.0], "peer", "float32")
    assert found == ["a", "2", "4 (peer)", "2.00", "1 to 6; 3 to 5", "float32"]
    assert measure.row("b", [1234.56]) == ["b", "1235", "", "", "", ""]


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_can_be_imported_and_says_what_it_does(script, name, capsys):
    with pytest.raises(SystemExit) as ended:
        script(name, "--help").main()
    assert ended.value.code == 0
    assert f"usage: {name}.py" in capsys.readouterr().out


def test_fashion_training_on_tiny_data(script, tmp_path, capsys):
    datasets.write_bars(tmp_path)
    script("fashion_training", "--data", tmp_path, "--rounds", 1).main()
    found = script("run").cells(capsys.readouterr().out)
    assert [what for what, *_ in found] == ["5 epochs, s"] * 3 + ["test accuracy / %"] * 3
    assert all(0 <= float(ours) <= 100 for _, ours, *_ in found[3:])


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder of data with small pictures, packed and held out, and an encoder of random weights."""
    folder = tmp_path_factory.mktemp("data")
    save_encoder(random_weights("block4_conv1"), folder / "models/encoder.safetensors", {})
    make_pools(folder / "pools")
    make_held_out(folder / "raw/pictures", ["germany_schwerinPalace"], ["portrait_of_pere_tanguy"])
    return folder


def small_params(*_):
    params = load_params(ROOT / "params.yaml")
    evaluate = params.adain.evaluate.model_copy(update={"content_side": 32, "style_side": 32})
    adain = params.adain.model_copy(update={"evaluate": evaluate, "train": settings(**SMALL)})
    return params.model_copy(update={"adain": adain})


@pytest.mark.parametrize(("how", "count", "after"), [("--minutes", 0, "1 of 1"), ("--iterations", 3, "3 of 3")])
def test_recipes_are_trained_judged_and_drawn(script, data, capsys, monkeypatch, how, count, after):
    recipes = script("adain_recipes", "--data", data, how, count, "--figure", data / "pair.png")
    monkeypatch.setattr(recipes, "load_params", small_params)
    small = {"crop": 16, "sides": [32], "batch_size": 1, "start": "random", "optimizer": "adam"}
    monkeypatch.setattr(recipes, "RECIPES", {name: recipes.RECIPES[name] | small for name in recipes.RECIPES})
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--only", recipes.DEFAULT, recipes.NO_IDENTITY])
    recipes.main()
    said = capsys.readouterr()
    judged = [line.split(" | ") for line in said.err.splitlines() if after in line]
    assert [row[0] for row in judged] == [recipes.DEFAULT, recipes.NO_IDENTITY]
    assert all(len(row) == 8 for row in judged)
    assert [row[0].split()[0] for row in script("run").cells(said.out)][:2] == ["content", "edges"]
    assert (data / "pair.png").stat().st_size > 10_000


def test_recipes_are_set_beside_the_first(script):
    scores = {"ours": [(1.0, 40.0, 0.5), (2.0, 20.0, 0.6)], "peer": [(1.0, 90.0, 0.1), (4.0, 30.0, 0.3)]}
    found = [row[:3] for row in script("adain_recipes").beside(scores, "16 pairs", "float32")]
    assert found == [
        ["content + 10 · style of 16 pairs, after 4 minutes", "20", "30 (peer)"],
        ["edges of 16 pairs, after 4 minutes", "0.6", "0.3 (peer)"],
        ["minutes until that content + 10 · style, at most", "2", "4 (peer)"],
    ]


def test_the_peers_step_has_the_losses_of_ours(script, data):
    """So the times of both are times for the same work."""
    peer, encoder = script("pytorch_adain"), load_encoder(data / "models/encoder.safetensors")
    decoder, recipe = initial_decoder(1), script("our_adain").settings(peer.RECIPE)
    crops = torch.randint(0, 255, (2, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        _, ours, _ = batch_losses(encoder, decoder, Batch(crops, crops.flip(3)), recipe, torch.float32)
        plain = peer.Plain(encoder, decoder)(crops / 255, crops.flip(3) / 255)
    torch.testing.assert_close(ours, plain, rtol=1e-4, atol=1e-4)


def test_stylising_gives_the_peers_picture(script, data):
    cost = script("adain_cost")
    encoder, photo, painting = data / "models/encoder.safetensors", data / "photo.png", data / "painting.png"
    for file, seed in ((photo, 1), (painting, 2)):
        datasets.photo(seed, (32, 32)).save(file)
    for job in (cost.stylise, cost.plain_stylise):
        job(encoder, torch.float32, str(photo), str(painting))()
    ours, plain = (np.asarray(read_image(data / f"{side}-photo.png"), dtype=int) for side in ("ours", "plain"))
    assert np.abs(ours - plain).max() <= 1


@pytest.mark.parametrize("job", ["step", "recipe_step", "peers_step"])
def test_steps_are_measured(script, data, job, capsys, monkeypatch):
    cost = script("adain_cost", "--encoder", data / "models/encoder.safetensors", "--one", job, "float32", 32, 1)
    monkeypatch.setattr(cost, "PATIENCE", 0)
    cost.main()
    (taken,) = json.loads(capsys.readouterr().out)
    assert taken > 0


def test_scale_on_few_pictures(script, tmp_path, capsys, monkeypatch):
    scale = script("scale", "--counts", 8, 12, "--folder", tmp_path)
    trained, real = ("[0.5, 9.0, true]", 1.0, 800.0), scale.process
    monkeypatch.setattr(scale, "process", lambda command: trained if "--train" in command else real(command))
    scale.main()
    found = [row[0] for row in script("run").cells(capsys.readouterr().out) if "in memory" in row[0]]
    assert found == [f"{count} pictures: training steps/s, set in memory" for count in (8, 12)]
    assert not list(tmp_path.iterdir())


def test_the_training_on_a_large_set_is_measured(script, data, monkeypatch):
    scale = script("scale")
    monkeypatch.setattr(scale, "load_params", small_params)
    first, rate, kept = scale.train(data / "pools/content", data / "models/encoder.safetensors", 1024, 2, 3)
    assert min(first, rate, kept) > 0


def test_the_sheet_measures_a_result_and_lays_out_rows(script, data):
    sheet = script("adain_sheet")
    encoder = load_encoder(data / "models/encoder.safetensors")
    picture, other = datasets.photo(1), datasets.photo(2)
    assert [round(score, 4) for score in sheet.scores(encoder, picture, picture, picture)] == [0, 0, 0, 1]
    assert sheet.scores(encoder, picture, other, other)[3] < 0.99
    whole = sheet.sheet([("first", [picture, other, other, picture])] * 2)
    width, height = picture.size
    assert whole.size == (4 * (width + sheet.GAP), 2 * (height + sheet.GAP + sheet.LINE))
    assert whole.crop((0, sheet.LINE, width, sheet.LINE + height)).tobytes() == picture.convert("RGB").tobytes()
