"""The state of a training run on disk: whole or absent, the last two kept, so that a run can die at any moment."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor

from nnlab.adain.model import Decoder
from nnlab.adain.weights import load_decoder, save_decoder
from nnlab.errors import UserError
from nnlab.files import atomic
from nnlab.training import load_tensors, save_tensors

HISTORY = "history.csv"  # the losses by iteration, beside the milestones
KEPT = 2  # states; the one before the last serves if the last is damaged


@dataclass
class State:
    """Everything that the next step depends on. ``average`` is None without weight averaging."""

    decoder: Decoder
    average: Decoder | None
    optimiser: torch.optim.Adam  # of views of the decoder's parameters, in their order
    history: Tensor  # (max_iter, 2) content and style loss by step
    step: int = 0  # steps done

    @property
    def best(self) -> Decoder:
        """The decoder to use: the averaged one where there is one."""
        return self.average or self.decoder

    def tensors(self) -> dict[str, Tensor]:
        """All tensors by name, those of the optimiser included; views, not copies."""
        found: dict[str, Tensor] = {f"decoder.{name}": value for name, value in self.decoder.named_parameters()}
        (group,) = self.optimiser.param_groups
        for (name, _), weights in zip(self.decoder.named_parameters(), group["params"], strict=True):
            moments = self.optimiser.state.get(weights) or _fresh_moments(self.optimiser, weights)
            found |= {f"{kind}.{name}": moments[kind] for kind in ("exp_avg", "exp_avg_sq", "step")}
        if self.average is not None:
            found |= {f"average.{name}": value for name, value in self.average.named_parameters()}
        return found


def _fresh_moments(optimiser: torch.optim.Adam, parameter: Tensor) -> dict[str, Tensor]:
    """Give Adam its state before its first step, in the parameter's memory order, so that a saved one can fill it."""
    moments = {
        "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
        "exp_avg": torch.zeros_like(parameter, memory_format=torch.preserve_format),
        "exp_avg_sq": torch.zeros_like(parameter, memory_format=torch.preserve_format),
    }
    optimiser.state[parameter] = moments
    return moments


def save(state: State, folder: Path) -> bool:
    """Write the state and drop the oldest; on a full disk say so, keep the earlier ones and return False."""
    path = folder / f"state-{state.step:09d}.safetensors"
    try:
        save_tensors(path, {**state.tensors(), "history": state.history[: state.step]})
    except (OSError, SafetensorError) as error:
        print(f"adain_train: warning: state not saved ({error}); free some space", file=sys.stderr, flush=True)
        return False
    for old in sorted(folder.glob("state-*.safetensors"))[:-KEPT]:
        old.unlink(missing_ok=True)
    return True


@torch.no_grad()
def restore(state: State, folder: Path, milestones: dict[int, int]) -> None:
    """Fill ``state`` from the newest state in ``folder`` that is whole, as are its milestones; else leave it alone."""
    for path in sorted(folder.glob("state-*.safetensors"), reverse=True):
        try:
            saved, _ = load_tensors(path)
            done = int(path.stem.partition("-")[2])
            for percent, step in milestones.items():
                if step <= done:
                    load_decoder(milestone(folder, percent))
            own = state.tensors()
            if {name: value.shape for name, value in own.items()} != {
                n: v.shape for n, v in saved.items() if n != "history"
            }:
                raise UserError(f"{path}: not a state of this run")
        except (UserError, ValueError) as error:
            print(f"adain_train: warning: {error}; trying the state before it", file=sys.stderr, flush=True)
            continue
        for name, value in own.items():
            value.copy_(saved[name])
        state.history[:done] = saved["history"].to(state.history.device)
        state.step = done
        return


def milestone(folder: Path, percent: int) -> Path:
    """Where the decoder after ``percent`` of the steps lies."""
    return folder / f"milestone_{percent}.safetensors"


def save_milestone(state: State, folder: Path, percent: int) -> None:
    """Keep the decoder of this moment, with the number of its steps as metadata."""
    save_decoder(state.best, milestone(folder, percent), {"iteration": str(state.step), "percent": str(percent)})


def export(training: Path, decoders: list[Path]) -> None:
    """Copy the milestones in the folder ``training`` to ``decoders``, whose names end in their percentages.

    Raises UserError if the names do not fit the fractions that were trained.
    """
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
