"""What a training leaves in its folder: the curves, and the decoder of each milestone. Does not import torch."""

import shutil
from pathlib import Path

import yaml

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


def check_outs(fractions: list[float], graph: Path = Path("dvc.yaml")) -> None:
    """UserError if `graph` exports other checkpoints than those that training would keep: told before it, not after."""
    try:
        outs = yaml.safe_load(graph.read_text(encoding="utf-8"))["stages"]["adain_export"]["outs"]
        named = [int(Path(str(out)).stem.rpartition("_")[2]) for out in outs]
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError):
        return  # not run by DVC, or a graph that only DVC understands: the export checks again
    if named != [round(100 * part) for part in fractions]:
        raise UserError(
            f"adain.train.checkpoint_fractions = {fractions}: the outs of adain_export in {graph} are the checkpoints "
            f"at {', '.join(map(str, named))} %; write {[part / 100 for part in named]}, or change those outs, the "
            "cmd of adain_export and what reads them"
        )
