"""Tensors on disk, and the state of an unfinished job: of its newest two files the newest undamaged one serves."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from nnlab.errors import UserError
from nnlab.files import atomic, sha256

KEPT = 2  # the newest, and the one before it in case the newest is damaged


def save_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write tensors as safetensors, whole or not at all; the same tensors and metadata make the same bytes."""
    with atomic(path) as temporary:
        whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        try:
            save_file(whole, temporary, metadata)
        except SafetensorError as error:  # the system's refusals arrive as text: "... (os error 28)"
            if code := re.search(r"os error (\d+)", str(error)):
                raise OSError(int(code[1]), os.strerror(int(code[1]))) from None
            raise
        if metadata:
            _sort_metadata(temporary)


def _sort_metadata(path: Path) -> None:
    """Put the metadata of a safetensors file in order: the library writes them in another order in each process."""
    with path.open("r+b") as file:
        size = int.from_bytes(file.read(8), "little")  # the format: length of the header, header as JSON, data
        header = json.loads(file.read(size))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode().ljust(size)
        if len(text) != size:
            raise ValueError(f"{path}: the header changed its length from {size} to {len(text)}")
        file.seek(8)
        file.write(text)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read what `save_tensors` wrote: tensors and metadata. A damaged or foreign file is a `UserError`."""
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except FileNotFoundError:
        raise UserError(f"{path}: not found; run `dvc repro` to make it") from None
    except SafetensorError as error:
        raise UserError(f"{path}: not a whole safetensors file ({error}); delete it and run `dvc repro`") from None


class Checkpoints:
    """Files `state-<step>-<first digits of their SHA-256>.safetensors` in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, step: int, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
        """Write a state whole or not at all; keep it and the one before it. `values` is anything JSON can hold.

        States of this step or a later one go, too: this job began from an earlier one because they were no good.
        """
        unnamed = self.folder / "unnamed.safetensors"
        save_tensors(unnamed, tensors, {"values": json.dumps(values)})
        path = self.folder / f"state-{step:09d}-{sha256(unnamed)[:16]}.safetensors"
        unnamed.replace(path)
        found = self._newest_first()
        earlier = [old for old in found if old.name < f"state-{step:09d}"]
        for old in {*found} - {path, *earlier[: KEPT - 1]}:
            old.unlink(missing_ok=True)

    def whole(self) -> Iterator[tuple[dict[str, Tensor], dict[str, Any]]]:
        """Tensors and values of the states that are whole, newest first. Writes nothing: any process may look."""
        for path in self._newest_first():
            if sha256(path)[:16] != path.stem.rpartition("-")[2]:
                continue
            try:
                tensors, metadata = load_tensors(path)
            except UserError:
                continue
            yield tensors, json.loads(metadata["values"])

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob("state-*.safetensors"), reverse=True)
