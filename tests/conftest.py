"""Fixtures that several test modules share."""

import os
import subprocess
from pathlib import Path

import pytest

from tests import quick


def pytest_configure() -> None:
    """All runs, also those in other processes, use as many threads: their number changes how sums are rounded."""
    os.environ.setdefault("OMP_NUM_THREADS", "2")


def workspace() -> dict[str, object]:
    """What a run in a scratch copy must not touch: what git sees, and when committed results were written."""
    command = ["git", "status", "--porcelain", "--ignored"]
    listed = subprocess.run(command, cwd=quick.ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    results = [path for folder in ("metrics", "plots") for path in (quick.ROOT / folder).rglob("*")]
    files = [quick.ROOT / "dvc.lock", quick.ROOT / "report/dvc.lock", *results]
    times = {str(path.relative_to(quick.ROOT)): path.stat().st_mtime_ns for path in files if path.exists()}
    return {"git status": [line for line in listed if "__pycache__" not in line], **times}


@pytest.fixture(scope="session")
def around_quick_run() -> list[dict[str, object]]:
    """The workspace before and after the quick run, once that has been made."""
    return []


@pytest.fixture(scope="session")
def quick_run(tmp_path_factory: pytest.TempPathFactory, around_quick_run: list[dict[str, object]]) -> tuple[Path, str]:
    """The whole pipeline at reduced settings, run once for all tests, in a folder with a space and Chinese characters.

    Gives the folder and what `dvc repro` printed.
    """
    tree = tmp_path_factory.mktemp("quick") / "新手 clone"
    around_quick_run.append(workspace())
    quick.copy_tree(tree)
    result = quick.repro(tree)
    around_quick_run.append(workspace())
    assert result.returncode == 0, result.stdout[-4000:]
    return tree, result.stdout


@pytest.fixture(autouse=True)
def _offline_by_default(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests do not depend on a mirror that the developer has set up."""
    if not request.node.get_closest_marker("registry"):
        monkeypatch.delenv("NNLAB_MIRROR", raising=False)
