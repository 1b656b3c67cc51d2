"""A trained classifier on disk: weights, layers and curves in one safetensors file."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from nnlab.errors import UserError
from nnlab.fashion.evaluate import Epoch
from nnlab.fashion.model import Network, build
from nnlab.params import NetworkParams
from nnlab.training.state import load_tensors, save_tensors


@dataclass(frozen=True)
class Trained:
    """A network, the settings that it was trained with, and its curves."""

    network: Network
    settings: NetworkParams
    history: list[Epoch]


def save(path: Path, trained: Trained) -> None:
    """Write one file; equal trainings make equal files."""
    metadata = {
        "settings": json.dumps(trained.settings.model_dump(), sort_keys=True),
        "history": json.dumps([asdict(row) for row in trained.history]),
    }
    save_tensors(path, trained.network.state_dict(), metadata)


def load(path: Path) -> Trained:
    """Read what `save` wrote; any other file is a `UserError`."""
    tensors, metadata = load_tensors(path)
    try:
        settings = NetworkParams.model_validate_json(metadata["settings"])
        history = [Epoch(**row) for row in json.loads(metadata["history"])]
        network = build(settings.hidden, settings.convolutions, settings.seed)
        network.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path}: not a classifier of this project ({reason}); delete it and run `dvc repro`") from None
    return Trained(network, settings, history)
