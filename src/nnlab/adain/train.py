"""Training of the AdaIN decoder: one loop for one process or several, CPU or GPU, that can die and go on."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from nnlab.adain import checkpoint
from nnlab.adain.checkpoint import State, as_matrix
from nnlab.adain.data import Batch, Crops, feed
from nnlab.adain.losses import content_loss, mixed, pixel_loss, statistics, structure_loss, style_loss
from nnlab.adain.model import FEATURES, Encoder, adain_statistics, to_images
from nnlab.errors import UserError
from nnlab.params import AdainTrainParams
from nnlab.training.processes import Processes

MEMORY = 1 / 30  # the average of the weights reaches back over at most so much of the run so far


class Report(NamedTuple):
    """What the loop tells: steps done, the losses (k, 2) of steps `first` to `step`, the decoder so far."""

    step: int
    first: int
    losses: Tensor
    decoder: nn.Module


@dataclass(frozen=True)
class Setting:
    """How the run is carried out; none of it changes what is computed, but for rounding."""

    processes: Processes
    dtype: torch.dtype
    workers: int
    save_every: int
    compile: bool = False


def train(
    encoder: Encoder, state: State, crops: Crops, setting: Setting, folder: Path, report: Callable[[Report], None]
) -> None:
    """Move `state` on to the last step, and save it and the milestones in `folder` on the way.

    `report` is called in the writing process, first with all earlier steps, then every `log_every` steps. Losses are
    read from the device only then: no step waits for it.
    """
    params, device, writes = crops.params, setting.processes.device, setting.processes.writes
    due = params.milestones
    move = step_function(encoder, state, params, setting)
    stops = {*due.values(), *range(0, params.max_iter, params.log_every), params.max_iter}
    stops |= set(range(0, params.max_iter, setting.save_every))
    known = state.step
    if writes:
        report(Report(known, 0, state.history[:known].cpu(), state.best))
    for batch in feed(crops, range(state.step, params.max_iter), setting.workers, device):
        move(batch)
        if state.step not in stops:
            continue
        block = _checked(setting.processes.average(state.history[known : state.step]), known)
        state.history[known : state.step] = block
        if writes:
            report(Report(state.step, known, block.cpu(), state.best))
            _keep(state, folder, due, setting.save_every)
        known = state.step


def step_function(
    encoder: Encoder, state: State, params: AdainTrainParams, setting: Setting
) -> Callable[[Batch], None]:
    """Return what moves `state` one step on by a batch."""
    encoder = deepcopy(encoder).to(setting.processes.device, setting.dtype).to(memory_format=torch.channels_last)
    decoder = setting.processes.wrap(state.decoder)
    losses_of = torch.compile(batch_losses) if setting.compile else batch_losses

    def move(batch: Batch) -> None:
        state.decoder.zero_grad(set_to_none=True)
        total, losses = losses_of(encoder, decoder, batch, params, setting.dtype)
        total.backward()
        _update_weights(state, learning_rate(params, state.step))
        state.history[state.step] = losses.detach()
        state.step += 1
        _update_average(state, params.average)

    return move


def batch_losses(
    encoder: Encoder, decoder: nn.Module, batch: Batch, params: AdainTrainParams, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Return the loss to be made smaller, a scalar, and the paper's two losses (2,) in it, content and style."""
    images = to_images(batch.content, dtype)
    with torch.no_grad():
        content, target = _encode(encoder, images, batch, dtype)
        wanted = adain_statistics(content[FEATURES[-1]], *target[FEATURES[-1]])
    drawn = decoder(wanted)
    features = encoder(drawn)
    losses = torch.stack([content_loss(features[FEATURES[-1]], wanted), style_loss(features, target)])
    total = params.content_weight * losses[0] + params.style_weight * losses[1]
    if params.structure_weight:
        total = total + params.structure_weight * structure_loss(features, content, target)
    if batch.style is None:
        total = total + params.identity.pixel_weight * pixel_loss(drawn, images)
    return total, losses


def _encode(
    encoder: Encoder, images: Tensor, batch: Batch, dtype: torch.dtype
) -> tuple[dict[str, Tensor], dict[str, tuple[Tensor, Tensor]]]:
    """Features of the content, and the statistics that the result is to have.

    Both batches of one size go through the encoder together: one large pass is faster than two small ones.
    """
    if batch.style is None:
        content = encoder(images)
        return content, statistics(content)
    both, count = encoder(torch.cat([images, to_images(batch.style, dtype)])), len(images)
    content = {layer: x[:count] for layer, x in both.items()}
    style = statistics({layer: x[count:] for layer, x in both.items()})
    return content, style if batch.alpha == 1 else mixed(statistics(content), style, batch.alpha)


def learning_rate(params: AdainTrainParams, step: int) -> float:
    """Learning rate of `step` (0-based): learning_rate / (1 + decay * step), as pytorch-AdaIN has it.

    It rises linearly over the first `warmup` steps, and falls to 0 over the last share `cooldown` of the run (0: it
    does not, as in the reference): steps of one pair are noisy, and the decoder settles as they become smaller.
    """
    rise = min(1.0, (step + 1) / (params.warmup + 1))
    left = (params.max_iter - step) / params.max_iter
    fall = min(1.0, left / params.cooldown) if params.cooldown else 1.0
    return rise * fall * params.learning_rate / (1 + params.decay * step)


def _update_weights(state: State, rate: float) -> None:
    """One step of the optimisers, which know the decoder's parameters by views of them."""
    for name, parameter in state.decoder.named_parameters():
        assert parameter.grad is not None
        state.views[name].grad = as_matrix(parameter.grad)
    for optimiser in state.optimisers:
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.step()


@torch.no_grad()
def _update_average(state: State, decay: float) -> None:
    """Exponential moving average of the weights; a long memory would keep early textures, which are too faint."""
    if state.average is not None:
        share = max(1 - decay, 1 / (1 + MEMORY * state.step))
        torch._foreach_lerp_(list(state.average.parameters()), list(state.decoder.parameters()), share)


def _checked(losses: Tensor, first: int) -> Tensor:
    """UserError if a loss is not finite: the training has diverged and would only waste time."""
    bad = (~losses.isfinite()).any(dim=1).nonzero()
    if len(bad):
        at = first + int(bad[0]) + 1
        raise UserError(f"adain_train: the loss is not finite at iteration {at}; lower adain.train.learning_rate")
    return losses


def _keep(state: State, folder: Path, due: dict[int, int], save_every: int) -> None:
    """Write the milestones that are due now, then the state."""
    now = [percent for percent, step in due.items() if step == state.step]
    for percent in now:
        checkpoint.save_milestone(state, folder, percent)
    if now or state.step % save_every == 0:
        checkpoint.save(state, folder)
