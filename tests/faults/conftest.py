"""The finished run beside which stages are disturbed."""

from pathlib import Path

import pytest

from tests import quick
from tests.faults.harness import Job, Workplace, jobs


@pytest.fixture(scope="session")
def finished(quick_run: quick.QuickRun) -> tuple[Path, dict[str, Job]]:
    """The folder of the whole run at reduced settings, and its stages by name."""
    return quick_run.tree, jobs(quick_run.tree)


@pytest.fixture
def workplace(finished: tuple[Path, dict[str, Job]], tmp_path: Path):
    """`workplace(name)` makes an empty workplace for a stage; `workplace(name, folder)` makes it in that folder."""

    def make(name: str, folder: Path | None = None) -> Workplace:
        tree, known = finished
        return Workplace(tree, folder or tmp_path / name, known[name])

    return make
