"""Fixtures that several test modules share."""

import os
from pathlib import Path

import pytest

from tests import quick


def pytest_configure() -> None:
    """All runs, also those in other processes, use as many threads: their number changes how sums are rounded."""
    os.environ.setdefault("OMP_NUM_THREADS", "2")


@pytest.fixture(scope="session")
def quick_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The whole pipeline at reduced settings, run once for all tests, in a folder with a space and Chinese characters.

    Gives the folder and what `dvc repro` printed.
    """
    tree = tmp_path_factory.mktemp("quick") / "新手 clone"
    quick.copy_tree(tree)
    result = quick.repro(tree)
    assert result.returncode == 0, result.stdout[-4000:]
    return tree, result.stdout


@pytest.fixture(autouse=True)
def _offline_by_default(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests do not depend on a mirror that the developer has set up."""
    if not request.node.get_closest_marker("registry"):
        monkeypatch.delenv("NNLAB_MIRROR", raising=False)
