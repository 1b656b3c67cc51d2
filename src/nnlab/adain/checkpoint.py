"""The state of a training run, and how it comes to the disk and back, so that the run can die at any moment."""

import sys
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor

from nnlab.adain.model import Decoder
from nnlab.adain.muon import Muon
from nnlab.adain.weights import save_decoder
from nnlab.files import sha256
from nnlab.params import AdainTrainParams
from nnlab.training.state import Checkpoints


@dataclass
class State:
    """Everything that the next step depends on. `average` is None without weight averaging."""

    decoder: Decoder
    average: Decoder | None
    optimisers: list[torch.optim.Optimizer]
    views: dict[str, Tensor]  # by name, the decoder's parameters as the optimisers see them
    history: Tensor  # (max_iter, 2) content and style loss by step
    step: int = 0  # steps done
    milestones: dict[str, str] = field(default_factory=dict)  # percentage -> SHA-256 of the decoder kept then

    @property
    def best(self) -> Decoder:
        """The decoder to use: the averaged one where there is one."""
        return self.average or self.decoder

    def begin_with(self, decoder: Decoder) -> None:
        """Take over the weights of another decoder, before the first step."""
        for own in (self.decoder, self.average):
            if own is not None:
                own.load_state_dict(decoder.state_dict())

    def moments(self, name: str) -> dict[str, Tensor]:
        """What the optimisers remember of a parameter; what is written into it they remember."""
        return next(o.state[self.views[name]] for o in self.optimisers if _has(o, self.views[name]))


def new_state(
    decoder: Decoder, params: AdainTrainParams, device: torch.device, dtype: torch.dtype = torch.float32
) -> State:
    """The state before the first step, from the decoder to start with."""
    decoder = decoder.to(device).to(memory_format=torch.channels_last)
    views = {name: as_matrix(parameter.detach()) for name, parameter in decoder.named_parameters()}
    # The last layer, whose three rows are the colours, and the biases are no matrices to Muon (Jordan et al. 2024).
    matrices = [v for n, v in views.items() if v.ndim == 2 and not n.startswith("block1_conv1")]
    if params.optimizer == "adam":
        matrices = []
    others = [view for view in views.values() if not any(view is matrix for matrix in matrices)]
    optimisers: list[torch.optim.Optimizer] = [torch.optim.Adam(others, params.learning_rate, fused=True)]
    if matrices:
        optimisers.append(Muon(matrices, params.learning_rate, dtype))
    average = deepcopy(decoder).requires_grad_(False) if params.average else None
    return State(decoder, average, optimisers, views, torch.zeros(params.max_iter, 2, device=device))


def as_matrix(weights: Tensor) -> Tensor:
    """A channels-last weight (D, C, 3, 3) as a matrix (D, 9 C) in its memory's order, a view; others as they are."""
    return weights.permute(0, 2, 3, 1).flatten(1) if weights.ndim == 4 else weights


def _has(optimiser: torch.optim.Optimizer, view: Tensor) -> bool:
    return any(view is weights for group in optimiser.param_groups for weights in group["params"])


def save(state: State, folder: Path) -> None:
    """Write the state; on a full disk say so, and keep the earlier ones."""
    tensors = {f"decoder.{name}": view for name, view in state.views.items()}
    for name in state.views:
        tensors |= {f"{kind}.{name}": value for kind, value in state.moments(name).items()}
    if state.average is not None:
        tensors |= {f"average.{name}": as_matrix(value) for name, value in state.average.named_parameters()}
    tensors["history"] = state.history[: state.step]
    try:
        Checkpoints(folder).save(state.step, tensors, {"step": state.step, "milestones": state.milestones})
    except (OSError, SafetensorError) as error:
        print(f"adain_train: warning: state not saved ({error}); free some space", file=sys.stderr, flush=True)


@torch.no_grad()
def restore(state: State, folder: Path, due: dict[int, int]) -> None:
    """Fill `state` from the state in `folder` if there is one and its milestones are whole; else leave it alone.

    `due`: percentage -> number of steps after which that decoder is kept.
    """
    for saved, values in Checkpoints(folder).whole():
        done, digests = values["step"], values["milestones"]
        kept = {milestone(folder, percent): str(percent) for percent, step in due.items() if step <= done}
        if not all(path.is_file() and sha256(path) == digests[percent] for path, percent in kept.items()):
            continue
        state.history[:done] = saved.pop("history").to(state.history.device)
        averages = dict(state.average.named_parameters()) if state.average else {}
        for key, value in saved.items():
            kind, _, name = key.partition(".")
            if kind == "decoder":
                state.views[name].copy_(value)
            elif kind == "average":
                as_matrix(averages[name]).copy_(value)
            else:  # Muon's count of steps, an integer, stays on the CPU; that of fused Adam is on the device
                on_device = value.is_floating_point()
                state.moments(name)[kind] = value.to(state.views[name].device) if on_device else value
        state.step, state.milestones = done, digests
        return


def milestone(folder: Path, percent: int) -> Path:
    """Where the decoder after `percent` of the steps lies."""
    return folder / f"decoder_{percent}.safetensors"


def save_milestone(state: State, folder: Path, percent: int) -> None:
    """Keep the decoder of this moment, with the number of its steps as metadata."""
    path = milestone(folder, percent)
    save_decoder(state.best, path, {"iteration": str(state.step), "percent": str(percent)})
    state.milestones[str(percent)] = sha256(path)
