"""What tests need from the machine: on a developer's it may be missing, in continuous integration it may not."""

import os
import shutil

import pytest


def lacking(reason: str) -> None:
    """Skip the test, or fail it where NNLAB_CI is set (`.ci/run`): nothing is left out there unseen."""
    if os.environ.get("NNLAB_CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def needs(*programs: str) -> None:
    """Skip the test (see `lacking`) unless all these programs are installed."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        lacking(f"needs {', '.join(missing)}")
