"""Training of the AdaIN decoder: the state of a run, the loop that moves it on, a step, the loss.

One code for one process or several, CPU or GPU. A run can die at any moment and go on from its last saved state.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nnlab.adain.data import RECENT, Batch, Crops, feed
from nnlab.adain.losses import Statistics, color_loss, content_loss, mixed, seen, statistics, structure_loss, style_loss
from nnlab.adain.model import DECODER_LAYERS, FEATURES, Decoder, Encoder, adain_statistics, to_images
from nnlab.adain.muon import Muon
from nnlab.adain.weights import CHECKPOINT, save_decoder
from nnlab.errors import UserError
from nnlab.params import AdainRunParams, AdainTrainParams
from nnlab.training.processes import Processes
from nnlab.training.state import STATE, save_tensors

# The average of the weights reaches back over at most so much of the run so far: early textures are too faint.
MEMORY = 1 / 20


@dataclass
class State:
    """Everything that the next step depends on."""

    decoder: Decoder
    average: Decoder  # of the weights so far: the one to use
    optimisers: list[torch.optim.Optimizer]
    history: Tensor  # (max_iter, 2) content and style loss by step
    step: int = 0  # steps done

    def tensors(self) -> dict[str, Tensor]:
        """All tensors of the state by name; what is written into them is taken over."""
        found = {"history": self.history}
        found |= {f"average.{name}": weights for name, weights in self.average.named_parameters()}
        for name, weights in self.decoder.named_parameters():
            found[f"decoder.{name}"] = weights.detach()
            for optimiser in self.optimisers:
                found |= {f"{kind}.{name}": value for kind, value in optimiser.state.get(weights, {}).items()}
        return found

    def restore(self, saved: dict[str, Tensor], values: dict[str, Any]) -> None:
        """Go on from a state that `train` saved."""
        for weights in self.decoder.parameters():
            weights.grad = torch.zeros_like(weights)
        for optimiser in self.optimisers:
            optimiser.step()  # makes its moments, which are filled now, as all the rest
        for name, tensor in self.tensors().items():
            tensor.copy_(saved[name])
        self.step = values["step"]


def new_state(
    decoder: Decoder, params: AdainTrainParams, device: torch.device, dtype: torch.dtype = torch.float32
) -> State:
    """The state before the first step, from the decoder to start with."""
    decoder = decoder.to(device).to(memory_format=torch.channels_last)
    # The last layer, whose three rows are the colours, and the biases are no matrices to Muon (Jordan et al. 2024).
    layers = [getattr(decoder, name) for name, _, _ in DECODER_LAYERS[:-1]]
    matrices = [layer.weight for layer in layers] if params.optimizer == "muon" else []
    others = [weights for weights in decoder.parameters() if not any(weights is matrix for matrix in matrices)]
    optimisers: list[torch.optim.Optimizer] = [torch.optim.Adam(others, params.learning_rate, fused=True)]
    if matrices:
        optimisers.append(Muon(matrices, params.learning_rate, dtype))
    average = deepcopy(decoder).requires_grad_(False)
    return State(decoder, average, optimisers, torch.zeros(params.max_iter, 2, device=device))


def train(
    move: Callable[[Batch], None], state: State, crops: Crops, processes: Processes, run: AdainRunParams, folder: Path,
    report: Callable[[], None],
) -> None:  # fmt: skip
    """Move `state` on to the last step by `move`, of `step_function`; keep it and the milestones in `folder` meanwhile.

    `report` is called after every row of the curves. Losses are read from the device only then and before a state is
    saved: no step waits for it.
    """
    params, logged = crops.params, set(row_ends(crops.params))
    for batch in feed(crops, range(state.step, params.max_iter), run.workers, processes.device):
        move(batch)
        milestones = [percent for percent, step in params.milestones.items() if step == state.step]
        saves = milestones or state.step % run.save_every == 0
        if saves or state.step in logged:
            bad = (~state.history[: state.step].isfinite()).any(dim=1).nonzero()
            if len(bad):  # the training has diverged and would only waste time
                at = int(bad[0]) + 1
                raise UserError(f"the loss is not finite at iteration {at}; lower adain.train.learning_rate")
        if state.step in logged:
            report()
        if saves and processes.rank == 0:
            for percent in milestones:
                found = {"iteration": str(state.step), "percent": str(percent)}
                save_decoder(state.average, folder / CHECKPOINT.format(percent), found)
            save_tensors(folder / STATE, state.tensors(), {"step": state.step})


def row_ends(params: AdainTrainParams) -> list[int]:
    """The iterations at which a row of the curves ends: every `log_every`, and the last."""
    return [*range(params.log_every, params.max_iter, params.log_every), params.max_iter]


def curve(state: State, params: AdainTrainParams, stop: int) -> dict[str, float]:
    """Row of the curves at iteration `stop`: mean losses (unweighted) since the row before it, learning rate."""
    start = (stop - 1) // params.log_every * params.log_every
    content, style = state.history[start:stop].cpu().double().mean(dim=0).tolist()
    rate = learning_rate(params, stop - 1)
    return {"iteration": stop, "content_loss": content, "style_loss": style, "learning_rate": rate}


def step_function(
    encoder: Encoder, state: State, params: AdainTrainParams, processes: Processes, dtype: torch.dtype,
    compiled: bool = False,
) -> Callable[[Batch], None]:  # fmt: skip
    """Return what moves `state` one step on by a batch."""
    encoder = deepcopy(encoder).to(processes.device, dtype).to(memory_format=torch.channels_last)
    decoder = processes.wrap(state.decoder)
    # By itself the compiler leaves channels-last where a convolution has half as many outputs as inputs: a quarter of a
    # GPU's time went into copies. CUDA graphs spare launches, which take longer than what they launch; nobody has tried
    # them with gradients that are averaged over processes.
    options: dict[str, Any] = {"force_layout_optimization": True, "triton.cudagraphs": processes.world == 1}
    losses_of = torch.compile(batch_losses, options=options) if compiled else batch_losses
    contents: dict[int, Statistics] = {}  # of the last steps: a resumed run begins without, and encodes styles anew

    def move(batch: Batch) -> None:
        state.decoder.zero_grad(set_to_none=True)
        style = contents.get(batch.recent) if batch.recent is not None else None
        total, losses, own = losses_of(encoder, decoder, batch._replace(recent=None), params, dtype, style)
        contents[state.step] = {layer: (mean.clone(), std.clone()) for layer, (mean, std) in own.items()}
        contents.pop(state.step - RECENT, None)
        found = processes.average(torch.stack([total.detach(), *losses.detach()]))
        (found[0].clamp(min=1e-12) ** (params.power - 1) * total).backward()  # total ** power's gradient, to a factor
        for optimiser in state.optimisers:
            optimiser.param_groups[0]["lr"] = learning_rate(params, state.step)
            optimiser.step()
        state.history[state.step] = found[1:]
        state.step += 1
        share = max(1 - params.average, 1 / (1 + MEMORY * state.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(state.average.parameters()), list(state.decoder.parameters()), share)

    return move


def batch_losses(
    encoder: Encoder, decoder: nn.Module, batch: Batch, params: AdainTrainParams, dtype: torch.dtype,
    style: Statistics | None = None,
) -> tuple[Tensor, Tensor, Statistics]:  # fmt: skip
    """Return the loss that is to become smaller, a scalar, and the paper's two losses (2,) in it, content and style.

    And the statistics of the content. Where those of the style are known, they are given as `style`.
    """
    images = to_images(batch.content, dtype)
    with torch.no_grad():
        content = seen(encoder, images)
        own = target = statistics(content)
        if batch.style is not None:
            target = mixed(own, style or statistics(seen(encoder, to_images(batch.style, dtype))), batch.alpha)
        wanted = adain_statistics(content[FEATURES[-1]], own[FEATURES[-1]], target[FEATURES[-1]])
    drawn = decoder(wanted)
    features = encoder(drawn)
    losses = torch.stack([content_loss(features[FEATURES[-1]], wanted), style_loss(features, target)])
    total = params.content_weight * losses[0] + params.style_weight * losses[1]
    if params.structure_weight:
        total = total + params.structure_weight * structure_loss(features, content, own, target)
    if batch.style is None:
        total = total + params.identity.pixel_weight * content_loss(drawn, images)
    elif params.color_weight:
        total = total + params.color_weight * color_loss(drawn, content, own, target)
    return total, losses, own


def learning_rate(params: AdainTrainParams, step: int) -> float:
    """Learning rate of `step` (0-based): learning_rate / (1 + decay * step), as pytorch-AdaIN has it.

    It rises linearly over the first `warmup` steps, and falls to 0 over the last share `cooldown` of the run (0: it
    does not, as in the reference): steps of one pair are noisy, and the decoder settles as they become smaller.
    """
    rise = min(1.0, (step + 1) / (params.warmup + 1))
    left = (params.max_iter - step) / params.max_iter
    fall = min(1.0, left / params.cooldown) if params.cooldown else 1.0
    return rise * fall * params.learning_rate / (1 + params.decay * step)
