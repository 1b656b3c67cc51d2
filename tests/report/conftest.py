"""A made-up run that the report's tests share; none of them changes it."""

from pathlib import Path

import pytest

from tests.report import samples


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with metrics, plots, data/results and data/raw."""
    root = tmp_path_factory.mktemp("run")
    samples.make(root)
    return root
