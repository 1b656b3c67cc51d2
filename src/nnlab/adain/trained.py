"""What a training leaves in its folder: the curves, and the decoder of each milestone. Does not import torch."""

import shutil
from pathlib import Path

from nnlab.errors import UserError
from nnlab.files import atomic

HISTORY = "history.csv"  # the losses by iteration


def milestone(folder: Path, percent: int) -> Path:
    """Where the decoder after ``percent`` of the steps lies."""
    return folder / f"milestone_{percent}.safetensors"


def export(training: Path, decoders: list[Path]) -> None:
    """Copy the milestones in the folder ``training`` to ``decoders``, whose names end in their percentages.

    Raises UserError if the folder is missing or the names do not fit the fractions that were trained.
    """
    if not training.is_dir():
        raise UserError(f"{training}: not found; run `dvc repro` to make it")
    trained = sorted(int(path.stem.partition("_")[2]) for path in training.glob("milestone_*.safetensors"))
    asked = [path.stem.rpartition("_")[2] for path in decoders]
    if asked != [str(percent) for percent in trained]:
        raise UserError(
            f"adain.train.checkpoint_fractions gave checkpoints at {trained} %, but dvc.yaml names {', '.join(asked)}: "
            "change the outs of adain_export there, and what depends on them"
        )
    for percent, path in zip(trained, decoders):
        with atomic(path) as temporary:
            shutil.copyfile(milestone(training, percent), temporary)
