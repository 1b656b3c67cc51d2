"""Sharing results: `dvc push` in one clone, `dvc pull` in another gives everything without training."""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests import quick


def run(tree: Path, *command: str) -> str:
    """Run a command in a clone and return what it printed."""
    with tempfile.TemporaryFile("w+") as output:  # no pipe: a queue's workers would hold it open
        result = subprocess.run(
            command, cwd=tree, env=quick.environment(tree), stdout=output, stderr=subprocess.STDOUT, check=False
        )
        output.seek(0)
        text = output.read()
    assert result.returncode == 0, text[-3000:]
    return text


def dvc(tree: Path, *arguments: str) -> str:
    return run(tree, sys.executable, "-m", "dvc", *arguments)


def commit(tree: Path, message: str) -> None:
    run(tree, "git", "add", "--all")
    identity = ("-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")
    run(tree, "git", *identity, "commit", "--quiet", "--message", message)


@pytest.mark.slow
@pytest.mark.long
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


@pytest.mark.slow
@pytest.mark.long
def test_queued_experiments_run_side_by_side(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    quick.copy_tree(tree)
    dvc(tree, "repro", "adain_prepare@content")
    commit(tree, "A run")
    for quality in (80, 90):
        change = f"adain.prepare.quality={quality}"
        dvc(tree, "exp", "run", "--queue", "--name", f"q{quality}", "-S", change, "adain_prepare@content")
    dvc(tree, "queue", "start", "--jobs", "2")
    try:
        deadline = time.monotonic() + 300
        while "Queued" in (status := dvc(tree, "queue", "status")) or "Running" in status:
            assert time.monotonic() < deadline, status
            time.sleep(1)
        assert status.count("Success") == 2, status
        assert {"q80", "q90"} <= {word.strip("[]") for word in dvc(tree, "exp", "list").split()}
    finally:
        dvc(tree, "queue", "stop")
