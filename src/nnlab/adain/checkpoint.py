"""The state of a training run, and how it comes to the disk and back, so that the run can die at any moment."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor

from nnlab.adain.model import Decoder
from nnlab.adain.trained import milestone
from nnlab.adain.weights import save_decoder
from nnlab.files import sha256
from nnlab.training.state import Checkpoints


@dataclass
class State:
    """Everything that the next step depends on. ``average`` is None without weight averaging."""

    decoder: Decoder
    average: Decoder | None
    optimiser: torch.optim.Adam  # of views of the decoder's parameters, in their order
    history: Tensor  # (max_iter, 2) content and style loss by step
    step: int = 0  # steps done
    milestones: dict[str, str] = field(default_factory=dict)  # percentage -> SHA-256 of the decoder kept then

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


def save(state: State, folder: Path) -> None:
    """Write the state; on a full disk say so, and keep the earlier ones."""
    tensors = {**state.tensors(), "history": state.history[: state.step]}
    try:
        Checkpoints(folder).save(state.step, tensors, {"step": state.step, "milestones": state.milestones})
    except (OSError, SafetensorError) as error:
        print(f"adain_train: warning: state not saved ({error}); free some space", file=sys.stderr, flush=True)


@torch.no_grad()
def restore(state: State, folder: Path, milestones: dict[int, int]) -> None:
    """Fill ``state`` from the newest state in ``folder`` that is whole, as are its milestones; else leave it alone.

    ``milestones``: percentage -> number of steps after which that decoder is kept.
    """
    for saved, values in Checkpoints(folder).whole():
        done, digests = values["step"], values["milestones"]
        due = {milestone(folder, percent): str(percent) for percent, step in milestones.items() if step <= done}
        if not all(path.is_file() and sha256(path) == digests[percent] for path, percent in due.items()):
            continue
        for name, value in state.tensors().items():
            value.copy_(saved[name])
        state.history[:done] = saved["history"].to(state.history.device)
        state.step, state.milestones = done, digests
        return


def save_milestone(state: State, folder: Path, percent: int) -> None:
    """Keep the decoder of this moment, with the number of its steps as metadata."""
    path = milestone(folder, percent)
    save_decoder(state.best, path, {"iteration": str(state.step), "percent": str(percent)})
    state.milestones[str(percent)] = sha256(path)
