"""Tensors on disk; where an interrupted job keeps its state; and that no job is done twice at once."""

import errno
import fcntl
import hashlib
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from nnlab.errors import UserError, made_anew
from nnlab.files import atomic, sha256

RESUME = Path(".resume")
STATE = "state.safetensors"  # in the folder of an unfinished job: its newest state


def save_tensors(path: Path, tensors: dict[str, Tensor], about: dict[str, Any] | None = None) -> None:
    """Write tensors, and facts about them that JSON can hold, as safetensors, whole or not at all.

    The same make the same bytes: the library writes several metadata keys in any order, so there is one.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    data = save(plain, {"about": json.dumps(about or {})})
    with atomic(path) as temporary:
        temporary.write_bytes(data)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `save_tensors` wrote, or others' tensors, with no facts. A damaged or foreign file is a `UserError`."""
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return tensors, json.loads((file.metadata() or {}).get("about", "{}"))
    except FileNotFoundError:
        raise UserError(f"{path}: not found; what the pipeline has is made by `dvc repro`") from None
    except (SafetensorError, ValueError) as error:
        reason = f"{path}: not a whole safetensors file ({error})"
        raise UserError(f"{reason}; fetch it again, or, if the pipeline made it, {made_anew('it')}") from None


def resume_dir(name: str, settings: object, data: list[Path], machine: str = "any") -> Path:
    """Return the folder for the state of the job `name`, to be removed at its end: `.resume/<name>-<machine>-<hash>`.

    The hash covers the settings (anything JSON can hold), the files and folders in `data`, and the modules of this
    package that are loaded, so that a state never serves a job with other parameters, data or code. States of the same
    job with another hash are removed, and a line says so; those of another kind of `machine`, which rounds otherwise,
    stay. `UserError` if another process is doing the job.

    A queued experiment, whose own folder DVC removes, has it in the project's `.resume/queued`, where those with
    another hash stay; while another experiment is doing the same there, in its own folder as ever.
    """
    state = hashlib.sha256(json.dumps([torch.__version__, settings], sort_keys=True, default=str).encode())
    loaded = {module.__file__ for key, module in sys.modules.items() if key.startswith("nnlab.") and module.__file__}
    for path in [*sorted(map(Path, loaded)), *data]:
        for file in sorted(filter(Path.is_file, path.rglob("*"))) if path.is_dir() else [path]:
            state.update(os.fsencode(file.relative_to(path.parent)) + f" {sha256(file)}\n".encode())
    folder = RESUME / f"{name}-{machine}-{state.hexdigest()[:16]}"
    if project := project_of_experiment():
        queued = project / RESUME / "queued" / folder.name
        try:
            _lock(queued)
            queued.mkdir(exist_ok=True)
            return queued
        except BlockingIOError:
            print(f"{name}: another experiment is doing the same; killed, this one begins anew", file=sys.stderr)
    try:
        _lock(RESUME / name)
    except BlockingIOError:
        raise UserError(f"{name} is running already in this folder; wait until it ends, or stop it") from None
    for stale in set(RESUME.glob(f"{name}-{machine}-{'?' * 16}")) - {folder}:
        print(f"{name}: starts anew; the unfinished run had other settings, data or code", file=sys.stderr)
        shutil.rmtree(stale, ignore_errors=True)
    folder.mkdir(exist_ok=True)
    return folder


def project_of_experiment() -> Path | None:
    """The project of an experiment that DVC runs in a folder of its own (the queue, `--temp`); else None."""
    project = Path(os.environ.get("DVC_ROOT", ""))
    return None if project.samefile(Path()) else project


def _lock(job: Path) -> None:
    """Hold a job until the process ends, however it ends; children do not inherit the hold.

    BlockingIOError if another process holds it. A cluster's disk (Lustre) may be mounted without locks: a line says so.
    """
    job.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(job.with_name(f".{job.name}.lock"), os.O_WRONLY | os.O_CREAT, 0o666)  # never closed: would free it
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
        print(f"{job.name}: this disk has no locks ({error.strerror}); do not start it twice", file=sys.stderr)
