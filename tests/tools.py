"""What tests need from the machine: what is missing skips them, or fails them where NNLAB_CI is set."""

import os
import shutil

import pytest


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
