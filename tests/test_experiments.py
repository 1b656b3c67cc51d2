"""The commands of the README that compare and share runs, tried in a reduced clone: exp run, diff, queue, push, pull.

They share a copy of the quick run and put it back after each test.
"""

import csv
import json
import re
import shutil
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
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false", *arguments]
    return subprocess.run(command, cwd=tree, check=True, capture_output=True, text=True).stdout


def ran(output: str) -> set[str]:
    return set(re.findall(r"Running stage '([^']+)'", output))


def put_back(tree: Path) -> None:
    git(tree, "checkout", "--quiet", "--", ".")
    git(tree, "clean", "--quiet", "-fd")
    dvc(tree, "checkout", "--quiet", code=None)


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
    put_back(copy)


def test_new_alphas_run_one_stage_within_30_seconds(tree: Path) -> None:
    begin = time.monotonic()
    assert ran(dvc(tree, "exp", "run", "-S", "adain.alpha=[0.2,0.5,0.8]")) == {"adain_alpha"}
    assert time.monotonic() - begin < 30
    dvc(tree, "plots", "diff", "HEAD", "workspace", "--targets", "plots/adain/alpha.png", "-o", "dvc_plots")
    shown = " ".join(path.name for path in (tree / "dvc_plots/static").iterdir())
    assert "workspace" in shown
    assert "HEAD" in shown


def test_a_network_variant_touches_fashion_alone_can_be_compared_and_put_back(tree: Path) -> None:
    model, params = tree / "data/models/fashion/model.safetensors", tree / "params.yaml"
    before = (sha256(model), params.read_text(encoding="utf-8"))
    output = dvc(tree, "exp", "run", "--name", "wide", "-S", "fashion.network.hidden=[64,32]")
    assert ran(output) == {"fashion_train", "fashion_evaluate"}
    assert "fashion_accuracy" in dvc(tree, "metrics", "diff", "--json", "HEAD")
    dvc(tree, "plots", "diff", "HEAD", "workspace", "-o", "dvc_plots")
    page = (tree / "dvc_plots/index.html").read_text(encoding="utf-8")
    for column in ("test_accuracy", "predicted", "accuracy"):  # curves, confusion matrix, bars per class
        revisions = {row.get("rev") for row in plotted(page) if column in row}
        assert {"HEAD", "workspace"} <= revisions, f"{column} is shown of {revisions} alone"
    header, *rows = csv.reader(dvc(tree, "exp", "show", "--only-changed", "--csv").splitlines())
    assert {"fashion_accuracy", "fashion.network.hidden"} <= {column.rpartition(":")[2] for column in header}
    assert len(header) < 40, f"{len(header)} columns: {header}"
    assert any("wide" in row for row in rows)
    put_back(tree)
    assert (sha256(model), params.read_text(encoding="utf-8")) == before
    dvc(tree, "exp", "apply", "wide")
    assert yaml.safe_load(params.read_text(encoding="utf-8"))["fashion"]["network"]["hidden"] == [64, 32]
    assert sha256(model) != before[0]


def plotted(page: str) -> list[dict]:
    """Every row of data in a page of plots."""
    rows: list[dict] = []

    def collect(value: object) -> None:
        if isinstance(value, dict):
            rows.extend(row for row in value.get("values") or [] if isinstance(row, dict))
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
            collect(inner)

    for start in re.finditer("var spec = ", page):
        collect(json.JSONDecoder().raw_decode(page, start.end())[0])
    return rows


def test_another_layer_choice_runs_its_job_alone(tree: Path) -> None:
    output = dvc(tree, "exp", "run", "-S", "gatys.jobs.main.style_layers=[block1_conv1,block2_conv1]")
    assert ran(output) == {"gatys_stylize@main", "gatys_figures"}


def test_neither_a_file_name_nor_a_jobs_name_reaches_a_shell(tree: Path) -> None:
    """A job's pictures have names that a shell would run; then another job has, and is refused in one line."""
    names = {"content": "my photo `touch PWNED` (1).jpg", "style": "$(touch PWNED);&'\".jpg"}
    for kind, name in names.items():
        shutil.copy(tree / f"data/raw/pair/{kind}.jpg", tree / name)
    quick.override(tree / "params.yaml", {f"gatys.jobs.layers.{kind}": name for kind, name in names.items()})
    assert ran(dvc(tree, "repro", "gatys_figures")) == {"gatys_stylize@layers", "gatys_figures"}
    params = yaml.safe_load((tree / "params.yaml").read_text(encoding="utf-8"))
    params["gatys"]["jobs"] = {"a`touch PWNED`$(touch PWNED)'$(touch PWNED)": params["gatys"]["jobs"]["main"]}
    (tree / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    output = dvc(tree, "repro", "gatys_stylize", code=255)
    assert "error: params.yaml: gatys.jobs.a`touch PWNED`" in output
    assert not list(tree.rglob("PWNED"))


def test_a_wrong_value_stops_before_any_stage_with_one_line(tree: Path) -> None:
    output = dvc(tree, "exp", "run", "-S", "fashion.training.epochs=ten", code=None)
    assert len([line for line in output.splitlines() if "fashion.training.epochs" in line and "error" in line]) == 1
    assert "Traceback" not in output


def test_a_queue_survives_a_failing_experiment_and_tells_which(tree: Path, tmp_path: Path) -> None:
    # DVC 3.67 cannot write the path of the queue's cache where the project's path is not ASCII (the README says so)
    clone = tmp_path / "a clone"
    quick.clone(tree, clone)
    changes = {"good-a": "network.hidden=[]", "bad": "training.epochs=0", "good-b": "network.hidden=[4]"}
    for name, change in changes.items():
        dvc(clone, "exp", "run", "--queue", "--name", name, "-S", f"fashion.{change}", "fashion_train")
    status = quick.run_queue(clone, jobs=2)
    states = dict(re.findall(r"(good-a|bad|good-b)\s.*?(Success|Failed)", status))
    assert states == {"good-a": "Success", "bad": "Failed", "good-b": "Success"}, status
    assert "fashion.training.epochs" in dvc(clone, "queue", "logs", "bad")
    assert list((clone / "runs/good-a/fashion").glob("events.*")), "TensorBoard's logs lie where the user looks"


def test_a_pull_gives_the_results_without_training(copy: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    quick.clone(copy, first)
    dvc(first, "remote", "add", "--default", "shared", str(tmp_path / "remote"))
    git(first, "commit", "--quiet", "--all", "--message", "A remote")
    dvc(first, "push")
    git(tmp_path, "clone", "--quiet", str(first), str(second))
    assert not (second / "data/models").exists()
    dvc(second, "pull")
    for folder in ("data/models", "data/results", "data/pools", "plots"):
        assert quick.hashes(second / folder) == quick.hashes(first / folder) != {}
    assert "Running stage" not in dvc(second, "repro", "--all-pipelines")
