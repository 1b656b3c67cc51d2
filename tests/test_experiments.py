"""The commands of the README that compare runs, tried in a reduced clone: exp run, plots diff, queue, apply.

They share a copy of the quick run and put it back after each test.
"""

import csv
import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from nnlab.files import sha256
from tests import quick
from tests.quick import dvc

pytestmark = pytest.mark.slow


def git(tree: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", *arguments]
    return subprocess.run(command, cwd=tree, check=True, capture_output=True, text=True).stdout


def ran(output: str) -> set[str]:
    return {name.split("@")[0] for name in re.findall(r"Running stage '([^']+)'", output)}


@pytest.fixture(scope="module")
def copy(quick_run: quick.QuickRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the quick run with its results committed, in a folder with a space and Chinese characters."""
    tree = tmp_path_factory.mktemp("experiments") / quick_run.tree.name
    quick.clone(quick_run.tree, tree)
    git(tree, "add", "--all")
    git(tree, "commit", "--quiet", "--message", "Results")
    return tree


@pytest.fixture
def tree(copy: Path) -> Iterator[Path]:
    """The copy; what a test changes is put back."""
    yield copy
    git(copy, "checkout", "--quiet", "--", ".")
    git(copy, "clean", "--quiet", "-fd")
    dvc(copy, "checkout", "--quiet", code=None)


def test_new_alphas_run_one_stage_within_30_seconds(tree: Path) -> None:
    begin = time.monotonic()
    output = dvc(tree, "exp", "run", "-S", "adain.alpha=[0.2,0.5,0.8]")
    assert ran(output) == {"adain_alpha"}
    assert time.monotonic() - begin < 30
    dvc(tree, "plots", "diff", "HEAD", "workspace", "--targets", "plots/adain/alpha.png", "-o", "dvc_plots")
    shown = {path.name for path in (tree / "dvc_plots/static").iterdir()}
    assert any("workspace" in name for name in shown)
    assert any("HEAD" in name for name in shown)


def test_a_network_variant_touches_fashion_alone_and_can_be_compared(tree: Path) -> None:
    output = dvc(tree, "exp", "run", "--name", "wide", "-S", "fashion.hidden=[64,32]")
    assert ran(output) == {"fashion_train", "fashion_evaluate"}
    difference = json.loads(dvc(tree, "metrics", "diff", "--json", "HEAD"))
    assert "fashion_accuracy" in json.dumps(difference)
    dvc(tree, "plots", "diff", "HEAD", "workspace", "-o", "dvc_plots")
    page = (tree / "dvc_plots/index.html").read_text(encoding="utf-8")
    for column in ("test_accuracy", "predicted", "accuracy"):  # curves, confusion matrix, bars per class
        revisions = {row.get("rev") for row in plotted(page) if column in row}
        assert {"HEAD", "workspace"} <= revisions, f"{column} is shown of {revisions} alone"
    assert "wide" in dvc(tree, "exp", "show", "--only-changed", "--csv")
    git(tree, "checkout", "--quiet", "--", ".")
    git(tree, "clean", "--quiet", "-fd")
    dvc(tree, "checkout")
    model = tree / "data/models/fashion/model.safetensors"
    params, digest = (tree / "params.yaml").read_text(encoding="utf-8"), sha256(model)
    dvc(tree, "exp", "apply", "wide")
    assert yaml.safe_load((tree / "params.yaml").read_text(encoding="utf-8"))["fashion"]["hidden"] == [64, 32]
    assert sha256(model) != digest
    git(tree, "checkout", "--", ".")
    dvc(tree, "checkout")
    assert (tree / "params.yaml").read_text(encoding="utf-8") == params
    assert sha256(model) == digest


def plotted(page: str) -> list[dict]:
    """Every row of data in a page of plots."""
    rows: list[dict] = []

    def collect(value: object) -> None:
        if isinstance(value, dict):
            if isinstance(values := value.get("values"), list):
                rows.extend(row for row in values if isinstance(row, dict))
            for inner in value.values():
                collect(inner)
        elif isinstance(value, list):
            for inner in value:
                collect(inner)

    for start in re.finditer("var spec = ", page):
        collect(json.JSONDecoder().raw_decode(page, start.end())[0])
    return rows


def test_another_layer_choice_runs_its_job_alone(tree: Path) -> None:
    output = dvc(tree, "exp", "run", "-S", "gatys.jobs.main.style_layers=[block1_conv1,block2_conv1]")
    jobs = set(re.findall(r"Running stage '(gatys_stylize@[^']+)'", output))
    assert jobs == {"gatys_stylize@main"}
    assert ran(output) == {"gatys_stylize", "gatys_figures"}


def test_a_wrong_value_stops_before_any_stage_with_one_line(tree: Path) -> None:
    output = dvc(tree, "exp", "run", "-S", "fashion.epochs=ten", code=None)
    lines = [line for line in output.splitlines() if "fashion.epochs" in line and "error" in line]
    assert len(lines) == 1
    assert "Traceback" not in output


def test_a_queue_survives_a_failing_experiment_and_tells_which(tree: Path, tmp_path: Path) -> None:
    # DVC 3.67 cannot write the path of the queue's cache where the project's path is not ASCII (the README says so)
    clone = tmp_path / "a clone"
    quick.clone(tree, clone)
    for name, change in (("good-a", "hidden=[]"), ("bad", "epochs=0"), ("good-b", "hidden=[4]")):
        dvc(clone, "exp", "run", "--queue", "--name", name, "-S", f"fashion.{change}", "fashion_evaluate")
    status = quick.run_queue(clone, jobs=1)
    states = dict(re.findall(r"(good-a|bad|good-b)\s.*?(Success|Failed)", status))
    assert states == {"good-a": "Success", "bad": "Failed", "good-b": "Success"}, status
    assert "fashion.epochs" in dvc(clone, "queue", "logs", "bad")
    shown = dvc(clone, "exp", "show", "--csv")
    assert "good-a" in shown
    assert "good-b" in shown


def test_the_table_of_experiments_has_few_columns(tree: Path) -> None:
    dvc(tree, "exp", "run", "--name", "narrow", "-S", "fashion.hidden=[4]", "fashion_evaluate")
    header = next(csv.reader(dvc(tree, "exp", "show", "--only-changed", "--csv").splitlines()))
    assert "fashion_accuracy" in header
    assert "fashion.hidden" in {column.partition(":")[2] or column for column in header}
    assert len(header) < 40, f"{len(header)} columns: {header}"
    assert not any("per_class" in column for column in header)
    metrics = dvc(tree, "metrics", "show", "--json")
    assert sum(len(values["data"]) for values in json.loads(metrics)[""]["data"].values()) < 15
