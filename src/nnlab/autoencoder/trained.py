"""A trained autoencoder on disk: weights, settings and curves in one safetensors file."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from nnlab.autoencoder.model import Autoencoder, build
from nnlab.autoencoder.train import Epoch, code_and_noise
from nnlab.errors import UserError
from nnlab.params import AutoencoderParams
from nnlab.training.state import load_tensors, save_tensors

Settings = TypeVar("Settings", bound=AutoencoderParams)


def save(path: Path, model: Autoencoder, settings: AutoencoderParams, history: list[Epoch]) -> None:
    """Write one file; equal trainings make equal files."""
    metadata = {
        "settings": json.dumps(settings.model_dump(), sort_keys=True),
        "history": json.dumps([asdict(row) for row in history]),
    }
    save_tensors(path, model.state_dict(), metadata)


def load(path: Path, kind: type[Settings]) -> tuple[Autoencoder, Settings, list[Epoch]]:
    """Read what `save` wrote with settings of that `kind`; any other file is a `UserError`."""
    tensors, metadata = load_tensors(path)
    try:
        settings = kind.model_validate_json(metadata["settings"])
        history = [Epoch(**row) for row in json.loads(metadata["history"])]
        model = build(settings.hidden, code_and_noise(settings)[0], settings.seed)
        model.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{path}: not an autoencoder of this project ({reason}); delete it and run `dvc repro`"
        ) from None
    return model, settings, history
