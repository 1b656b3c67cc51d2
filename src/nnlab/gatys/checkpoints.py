"""State of an unfinished picture on disk: whole files only, the newest undamaged one is taken."""

import json
from pathlib import Path

from torch import Tensor

from nnlab.errors import UserError
from nnlab.files import sha256
from nnlab.training import load_tensors, save_tensors

KEPT = 2  # the newest, and the one before it in case the newest is damaged


class Checkpoints:
    """Files `<step>-<first digits of their SHA-256>.safetensors` in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, step: int, tensors: dict[str, Tensor], values: dict[str, object]) -> None:
        """Write a state atomically, then remove all but the newest two. `values` is anything JSON can hold."""
        unnamed = self.folder / "unnamed.safetensors"
        save_tensors(unnamed, tensors, {"values": json.dumps(values)})
        unnamed.replace(self.folder / f"{step:08d}-{sha256(unnamed)[:16]}.safetensors")
        for old in self._newest_first()[KEPT:]:
            old.unlink(missing_ok=True)

    def load(self) -> tuple[dict[str, Tensor], dict[str, object]] | None:
        """The newest whole state; None if there is none. Damaged ones are removed."""
        for path in self._newest_first():
            try:
                if sha256(path)[:16] == path.stem.split("-")[1]:
                    tensors, metadata = load_tensors(path)
                    return tensors, json.loads(metadata["values"])
            except UserError:
                pass
            path.unlink(missing_ok=True)
        return None

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob("*-*.safetensors"), reverse=True)
