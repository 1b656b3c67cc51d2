"""The README's commands that compare and share runs, in a reduced clone that each test puts back as it was."""

import csv
import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from nnlab.files import sha256
from tests import quick
from tests.quick import dvc, git

pytestmark = pytest.mark.slow


def ran(output: str) -> set[str]:
    return set(re.findall(r"Running stage '([^']+)'", output))


@pytest.fixture(scope="module")
def copy(quick_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the quick run with its results committed, in a folder with a space and Chinese characters."""
    tree = tmp_path_factory.mktemp("experiments") / quick_run.name
    quick.clone(quick_run, tree)
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
    assert ran(dvc(tree, "exp", "run", "-S", "adain.alpha=[0.2,0.5,0.8]")) == {"adain_alpha"}
    assert time.monotonic() - begin < 30


def test_other_layers_run_their_job_alone_and_no_name_reaches_a_shell(tree: Path) -> None:
    """A job's pictures have names that a shell would run; then another job has, and is refused in one line."""
    names = {"content": "my photo `touch PWNED` (1).jpg", "style": "$(touch PWNED);&'\".jpg"}
    for kind, name in names.items():
        shutil.copy(tree / f"data/raw/pair/{kind}.jpg", tree / name)
    quick.override(tree / "params.yaml", {f"gatys.jobs.layers.{kind}": name for kind, name in names.items()})
    output = dvc(tree, "exp", "run", "-S", "gatys.jobs.layers.style_layers=[block1_conv1,block3_conv1]")
    assert ran(output) == {"gatys_stylize@layers", "gatys_figures"}
    params = yaml.safe_load((tree / "params.yaml").read_text(encoding="utf-8"))
    params["gatys"]["jobs"] = {"a`touch PWNED`$(touch PWNED)'$(touch PWNED)": params["gatys"]["jobs"]["main"]}
    (tree / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    output = dvc(tree, "repro", "gatys_stylize", code=255)
    assert "error: params.yaml: gatys.jobs.a`touch PWNED`" in output
    assert not list(tree.rglob("PWNED"))


def test_a_queue_survives_a_failing_experiment_and_the_good_one_can_be_compared_and_put_back(copy, tmp_path) -> None:
    # DVC 3.67 cannot write the path of the queue's cache where the project's path is not ASCII (the README says so)
    tree = tmp_path / "a clone"
    quick.clone(copy, tree)
    for name, change in {"bad": "training.epochs=ten", "wide": "network.hidden=[64,32]"}.items():
        dvc(tree, "exp", "run", "--queue", "--name", name, "-S", f"fashion.{change}")
    status = quick.run_queue(tree)
    assert dict(re.findall(r"(bad|wide)\s.*?(Success|Failed)", status)) == {"bad": "Failed", "wide": "Success"}, status
    said = dvc(tree, "queue", "logs", "bad")
    assert len([line for line in said.splitlines() if "fashion.training.epochs" in line and "error" in line]) == 1
    assert "Traceback" not in said
    assert ran(dvc(tree, "queue", "logs", "wide")) == {"fashion_train", "fashion_evaluate"}
    assert list((tree / "runs/wide/fashion").glob("events.*")), "TensorBoard's logs lie where the user looks"

    model, params = tree / "data/models/fashion/model.safetensors", tree / "params.yaml"
    before = (sha256(model), params.read_text(encoding="utf-8"))
    dvc(tree, "exp", "apply", "wide")
    assert yaml.safe_load(params.read_text(encoding="utf-8"))["fashion"]["network"]["hidden"] == [64, 32]
    assert sha256(model) != before[0]
    assert "fashion_accuracy" in dvc(tree, "metrics", "diff", "--json", "HEAD")
    dvc(tree, "plots", "diff", "HEAD", "workspace", "-o", "dvc_plots")
    page = (tree / "dvc_plots/index.html").read_text(encoding="utf-8")
    plotted = [json.loads(row) for row in re.findall(r'\{[^{}]*"rev": [^{}]*\}', page)]  # every row of data
    for column in ("test_accuracy", "predicted", "accuracy"):  # curves, confusion matrix, bars per class
        revisions = {row["rev"] for row in plotted if column in row}
        assert {"HEAD", "workspace"} <= revisions, f"{column} is shown of {revisions} alone"
    assert len(list((tree / "dvc_plots/static").glob("*fashion_predictions.png"))) == 2, "not of both"
    header, *rows = csv.reader(dvc(tree, "exp", "show", "--only-changed", "--csv").splitlines())
    assert {"fashion_accuracy", "fashion.network.hidden"} <= {column.rpartition(":")[2] for column in header}
    assert len(header) < 40, f"{len(header)} columns: {header}"
    assert any("wide" in row for row in rows)
    git(tree, "stash")
    dvc(tree, "checkout", "--quiet")
    assert (sha256(model), params.read_text(encoding="utf-8")) == before


def test_a_pull_gives_the_results_without_training(copy: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    quick.clone(copy, first)
    dvc(first, "remote", "add", "--default", "shared", str(tmp_path / "remote"))
    git(first, "commit", "--quiet", "--all", "--message", "A remote")
    dvc(first, "push")
    git(tmp_path, "clone", "--quiet", first, second)
    assert not (second / "data/models").exists()
    dvc(second, "pull")
    for folder in ("data/models", "data/results", "data/pools", "plots"):
        assert quick.hashes(second / folder) == quick.hashes(first / folder) != {}
    assert "Running stage" not in dvc(second, "repro", "--all-pipelines")
