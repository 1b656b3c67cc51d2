"""Where an interrupted job keeps its state, and that no job is done twice at once. Does not import torch."""

import fcntl
import glob
import hashlib
import json
import os
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import IO

from nnlab.errors import UserError
from nnlab.files import sha256

RESUME = Path(".resume")


def resume_dir(name: str, settings: object, code: list[Path], data: list[Path]) -> Path:
    """Return the folder for the resume state of the job `name`: `.resume/<name>-<hash>`.

    The hash covers the settings (anything JSON can hold) and the content of the files and folders in `code` and `data`,
    so that a state never serves a job with other parameters, code or data. States of the same job with another hash
    are removed: they can never be used again. `UserError` if another process on this machine is doing the job.
    Under torchrun the first process does all this; the others only learn the folder's name, and it may not exist yet.
    """
    leads = os.environ.get("RANK", "0") == "0"
    if leads:
        _take(name)
    state = hashlib.sha256(json.dumps([version("torch"), settings], sort_keys=True, default=str).encode())
    for path in [*code, *data]:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            if "__pycache__" not in file.parts:
                state.update(f"{file.relative_to(path)} {sha256(file)}\n".encode())
    folder = RESUME / f"{name}-{state.hexdigest()[:16]}"
    if leads:
        for stale in RESUME.glob(f"{glob.escape(name)}-*"):
            if stale != folder and len(stale.name) == len(folder.name):
                shutil.rmtree(stale, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def _take(name: str) -> None:
    """Hold the job `name` of this folder until the process ends, however it ends; children do not inherit the hold."""
    (RESUME / ".jobs").mkdir(parents=True, exist_ok=True)
    file = (RESUME / ".jobs" / name).open("a")
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise UserError(f"{name} is running already in this folder; wait until it ends, or stop it") from None
    _held.append(file)


_held: list[IO[str]] = []
