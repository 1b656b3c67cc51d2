"""What tests need from the machine: what is missing skips them, or fails them where NNLAB_CI is set."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nnlab.errors import UserError

ROOT = Path(__file__).resolve().parents[1]
_PROGRAM = """
import sys
from pathlib import Path

def peak():  # in KiB; getrusage would count the process that started this one, too
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])

folder = Path(sys.argv[1])
{setup}
before = peak()
{code}
print((peak() - before) / 1024)
"""

# Whether the project is a git repository of its own, with a commit: a copy without .git may lie in another one.
_HEAD = ["git", "-C", str(ROOT), "rev-parse", "--verify", "--quiet", "HEAD"]
_HISTORY = (ROOT / ".git").exists() and subprocess.run(_HEAD, capture_output=True).returncode == 0
with_history = pytest.mark.skipif(not _HISTORY, reason="needs the project's git history: what was committed")


def lacking(reason: str) -> None:
    """Skip the test, or fail it where NNLAB_CI is set: nothing is left out there."""
    if os.environ.get("NNLAB_CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def needs(*programs: str) -> None:
    """Skip the test (see `lacking`) unless all these programs are installed."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        lacking(f"needs {', '.join(missing)}")


@contextmanager
def online() -> Iterator[None]:
    """Skip the test (see `lacking`) where something cannot be fetched."""
    try:
        yield
    except UserError as error:
        lacking(str(error))


def measured(setup: str, code: str, folder: Path) -> float:
    """MiB that `code` takes at most after `setup`, both with `folder`, in a process of its own, with C libraries."""
    if not Path("/proc/self/status").exists():
        lacking("needs Linux's /proc")
    command = [sys.executable, "-c", _PROGRAM.format(setup=setup, code=code), str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return float(result.stdout)
