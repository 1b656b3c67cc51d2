"""The commands of the README that compare runs, tried in a reduced clone: exp run, plots diff, queue, apply.

They share the session's quick run and put the workspace back after each test.
"""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests import quick

pytestmark = pytest.mark.slow


def dvc(tree: Path, *arguments: str, code: int | None = 0) -> str:
    """Run dvc in `tree`; return what it printed. `code` is the exit code that must come, None for any."""
    result = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments],
        cwd=tree,
        env=quick.environment(tree),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
    )
    if code is not None:
        assert result.returncode == code, result.stdout[-4000:]
    return result.stdout


def git(tree: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", *arguments]
    return subprocess.run(command, cwd=tree, check=True, capture_output=True, text=True).stdout


def ran(output: str) -> set[str]:
    return {name.split("@")[0] for name in re.findall(r"Running stage '([^']+)'", output)}


@pytest.fixture
def tree(quick_run: tuple[Path, str]) -> Iterator[Path]:
    """The quick run's folder with its results committed; what a test changes is put back."""
    tree = quick_run[0]
    git(tree, "add", "--all")
    if git(tree, "status", "--porcelain"):
        git(tree, "commit", "--quiet", "--message", "Results")
    yield tree
    git(tree, "checkout", "--quiet", "--", ".")
    git(tree, "clean", "--quiet", "-fd")
    dvc(tree, "checkout", "--quiet", code=None)


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
    for title in ("accuracy", "per_class", "confusion"):
        assert title in page
    git(tree, "checkout", "--quiet", "--", ".")
    dvc(tree, "exp", "apply", "wide")
    assert yaml.safe_load((tree / "params.yaml").read_text(encoding="utf-8"))["fashion"]["hidden"] == [64, 32]


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
    tree = Path(shutil.copytree(tree, tmp_path / "a clone", symlinks=True))
    dvc(tree, "exp", "run", "--queue", "--name", "good-a", "-S", "fashion.seed=11")
    dvc(tree, "exp", "run", "--queue", "--name", "bad", "-S", "fashion.epochs=0")
    dvc(tree, "exp", "run", "--queue", "--name", "good-b", "-S", "fashion.seed=12")
    dvc(tree, "queue", "start", "--jobs", "1")
    for _ in range(180):
        status = dvc(tree, "queue", "status")
        if "Queued" not in status and "Running" not in status:
            break
        time.sleep(1)
    states = {name: re.search(rf"{name}\s.*?(Success|Failed)", status) for name in ("good-a", "bad", "good-b")}
    assert all(states.values()), status
    assert {name: state[1] for name, state in states.items() if state} == {
        "good-a": "Success",
        "bad": "Failed",
        "good-b": "Success",
    }
    assert "fashion.epochs" in dvc(tree, "queue", "logs", "bad")
    shown = dvc(tree, "exp", "show", "--csv")
    assert "good-a" in shown
    assert "good-b" in shown


def test_the_table_of_experiments_has_few_columns(tree: Path) -> None:
    header = dvc(tree, "exp", "show", "--csv", "--no-pager").splitlines()[0].split(",")
    named = [column for column in header if not column.startswith("data/")]
    assert "fashion_accuracy" in named
    assert not any("per_class" in column for column in header)
    metrics = dvc(tree, "metrics", "show", "--json")
    assert sum(len(values["data"]) for values in json.loads(metrics)[""]["data"].values()) < 15
