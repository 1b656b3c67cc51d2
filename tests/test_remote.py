"""Sharing results: `dvc push` in one clone, `dvc pull` in another gives everything without training."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import quick


def run(tree: Path, *command: str) -> str:
    """Run a command in a clone and return what it printed."""
    result = subprocess.run(
        command, cwd=tree, env=quick.environment(tree), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert result.returncode == 0, result.stdout[-3000:]
    return result.stdout


def dvc(tree: Path, *arguments: str) -> str:
    return run(tree, sys.executable, "-m", "dvc", *arguments)


def commit(tree: Path, message: str) -> None:
    run(tree, "git", "add", "--all")
    identity = ("-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")
    run(tree, "git", *identity, "commit", "--quiet", "--message", message)


@pytest.mark.slow
def test_a_pull_gives_the_results_without_training(quick_run: tuple[Path, str], tmp_path: Path) -> None:
    first, second, remote = tmp_path / "first", tmp_path / "second", tmp_path / "remote"
    shutil.copytree(quick_run[0], first, symlinks=True)
    dvc(first, "remote", "add", "--default", "shared", str(remote))
    commit(first, "A run")
    dvc(first, "push")

    run(tmp_path, "git", "clone", "--quiet", str(first), str(second))
    assert not (second / "data/models").exists()
    dvc(second, "pull")
    for folder in ("data/models", "data/results", "data/pools", "plots", "metrics"):
        names = {path.relative_to(first) for path in (first / folder).rglob("*") if path.is_file()}
        names -= {Path("metrics/timings.json")}
        assert names
        assert all((second / name).read_bytes() == (first / name).read_bytes() for name in names)
    assert "Running stage" not in dvc(second, "repro", "--all-pipelines")
