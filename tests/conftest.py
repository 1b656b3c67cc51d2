"""Fixtures that several test modules share."""

import fcntl
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import quick
from tests.browser import Person, person


def pytest_configure() -> None:
    """All runs, also those in other processes, use as many threads: their number changes how sums are rounded.

    One, because `make test` has two workers. And all hear SIGINT, also in `nohup make test &`, where a shell has it
    ignored: what is ignored here would be ignored by whatever a test starts and interrupts.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order of the files: one that uses the quick run, then those in folders, its other users, and the rest.

    `make test` has two workers that take one file after the other (`--dist loadfile`): one begins with the quick run,
    which takes minutes; the first folders' files, for which the other need not wait, take as long. The quick run's
    other users take long and come next, so that neither worker waits for the other's last file.
    """
    users = [item.path for item in items if "quick_run" in getattr(item, "fixturenames", ())]

    def place(item: pytest.Item) -> int:
        if item.path in users:
            return 0 if item.path == users[0] else 2
        folder = item.path.parent
        return 1 if folder.name in ("adain", "app", "autoencoder", "data") else 3

    items.sort(key=place)


@pytest.fixture
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, in which the process stands."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def quick_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run at reduced settings; what DVC said lies beside it, in quick_run.txt.

    Run once for all tests and all workers of pytest-xdist, in a folder with a space and Chinese characters.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    root = tmp_path_factory.getbasetemp().parent if worker else tmp_path_factory.mktemp("quick")
    tree, said = root / "新手 clone", root / "quick_run.txt"
    with (root / "quick_run.lock").open("w") as lock:  # the first worker runs it, the others wait
        fcntl.lockf(lock, fcntl.LOCK_EX)
        if not said.exists():
            quick.copy_tree(tree)
            said.write_text(quick.dvc(tree, "repro", "--all-pipelines"), encoding="utf-8")
        return tree


@pytest.fixture(scope="module")
def me() -> Iterator[Person]:
    """Somebody in front of a browser."""
    with person() as somebody:
        yield somebody


@pytest.fixture(autouse=True)
def _offline_by_default(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests do not depend on a mirror that the developer has set up."""
    if not request.node.get_closest_marker("registry"):
        monkeypatch.delenv("NNLAB_MIRROR", raising=False)
