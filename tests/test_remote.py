"""Sharing results: `dvc push` in one clone, `dvc pull` in another gives everything without training."""

import csv
import subprocess
from pathlib import Path

import pytest

from tests import quick
from tests.quick import dvc


def commit(tree: Path, message: str) -> None:
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
    for command in (["add", "--all"], ["commit", "--allow-empty", "--quiet", "--message", message]):
        subprocess.run([*git, *command], cwd=tree, check=True, env=quick.environment(tree))


@pytest.mark.slow
def test_a_pull_gives_the_results_without_training(quick_run: quick.QuickRun, tmp_path: Path) -> None:
    first, second, remote = tmp_path / "first", tmp_path / "second", tmp_path / "remote"
    quick.clone(quick_run.tree, first)
    dvc(first, "remote", "add", "--default", "shared", str(remote))
    commit(first, "A run")
    dvc(first, "push")

    subprocess.run(["git", "clone", "--quiet", str(first), str(second)], check=True)
    assert not (second / "data/models").exists()
    dvc(second, "pull")
    for folder in ("data/models", "data/results", "data/pools", "plots", "metrics"):
        names = {path.relative_to(first) for path in (first / folder).rglob("*") if path.is_file()}
        names -= {Path("metrics/timings.json")}
        assert names
        assert all((second / name).read_bytes() == (first / name).read_bytes() for name in names)
    assert "Running stage" not in dvc(second, "repro", "--all-pipelines")


@pytest.mark.slow
def test_queued_experiments_run_side_by_side(quick_run: quick.QuickRun, tmp_path: Path) -> None:
    tree = tmp_path / "tree"  # a path in ASCII letters: DVC's queue needs one
    quick.clone(quick_run.tree, tree)
    commit(tree, "A run")
    dvc(tree, "exp", "run", "--queue", "-S", "adain.prepare.quality=80,90", "adain_prepare@content")  # two experiments
    status = quick.run_queue(tree, jobs=2)
    assert status.count("Success") == 2, status
    shown = csv.DictReader(dvc(tree, "exp", "show", "--csv").splitlines())
    assert {"80", "90"} <= {row["adain.prepare.quality"] for row in shown}
