"""The state of an unfinished job on disk: whole files only; of the newest two the newest undamaged one serves."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import Tensor

from nnlab.errors import UserError
from nnlab.files import sha256
from nnlab.training import load_tensors, save_tensors

KEPT = 2  # the newest, and the one before it in case the newest is damaged


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
