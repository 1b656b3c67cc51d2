"""Fixtures that several test modules share."""

import fcntl
import json
import os
import signal
import subprocess

import pytest

from tests import quick


def pytest_configure() -> None:
    """All runs, also those in other processes, use as many threads: their number changes how sums are rounded.

    One, because `make test` has two workers. And all hear SIGINT, also in `nohup make test &`, where a shell has it
    ignored: what is ignored here would be ignored by whatever a test starts and interrupts.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order of the files: one that uses the quick run, which takes minutes, then those that do not, then the rest.

    `make test` has two workers that take one file after the other (pytest-xdist's `--dist loadfile`): one begins with
    the quick run, and the other need not wait for it.
    """
    users = [item.path for item in items if "quick_run" in getattr(item, "fixturenames", ())]
    items.sort(key=lambda item: 1 if item.path not in users else 0 if item.path == users[0] else 2)


def workspace() -> dict[str, object]:
    """What a run in a scratch copy must not touch: what git sees, and when committed results were written."""
    command = ["git", "status", "--porcelain", "--ignored"]
    listed = subprocess.run(command, cwd=quick.ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    results = [path for folder in ("metrics", "plots") for path in (quick.ROOT / folder).rglob("*")]
    files = [quick.ROOT / "dvc.lock", quick.ROOT / "report/dvc.lock", *results]
    times = {str(path.relative_to(quick.ROOT)): path.stat().st_mtime_ns for path in files if path.exists()}
    return {"git status": [line for line in listed if "__pycache__" not in line], **times}


@pytest.fixture(scope="session")
def quick_run(tmp_path_factory: pytest.TempPathFactory) -> quick.QuickRun:
    """Run once for all tests and all workers of pytest-xdist, in a folder with a space and Chinese characters."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    root = tmp_path_factory.getbasetemp().parent if worker else tmp_path_factory.mktemp("quick")
    tree, notes = root / "新手 clone", root / "quick_run.json"
    with (root / "quick_run.lock").open("w") as lock:  # the first worker runs it, the others wait
        fcntl.lockf(lock, fcntl.LOCK_EX)
        if not notes.exists():
            before = workspace()
            quick.copy_tree(tree)
            said = quick.dvc(tree, "repro", "--all-pipelines")
            notes.write_text(json.dumps([said, before, workspace()]), encoding="utf-8")
        return quick.QuickRun(tree, *json.loads(notes.read_text(encoding="utf-8")))


@pytest.fixture(autouse=True)
def _offline_by_default(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests do not depend on a mirror that the developer has set up."""
    if not request.node.get_closest_marker("registry"):
        monkeypatch.delenv("NNLAB_MIRROR", raising=False)
