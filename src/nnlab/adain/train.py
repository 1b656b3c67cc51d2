"""Training of the AdaIN decoder: one loop for one process or several, CPU or GPU, that can die and go on."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from nnlab.adain import checkpoint
from nnlab.adain.batches import Batches, Feed, InTwoParts
from nnlab.adain.checkpoint import State
from nnlab.adain.losses import Statistics, decoding_losses, encode
from nnlab.adain.model import Decoder, Encoder, to_images
from nnlab.adain.partners import batches_needed, block_start, pairings
from nnlab.adain.processes import Processes
from nnlab.adain.schedule import learning_rate, milestones
from nnlab.errors import UserError
from nnlab.params import AdainTrainParams
from nnlab.training.seeds import generator

AVERAGE_EVERY = 8  # steps between updates of the averaged weights; each costs one sweep over all weights


class Report(NamedTuple):
    """What the loop tells: steps done, the losses (k, 2) of steps ``first`` to ``step``, the decoder so far."""

    step: int
    first: int
    losses: Tensor
    decoder: Decoder
    waited: float = 0.0  # seconds that this run has waited for data so far


@dataclass(frozen=True)
class Setting:
    """How the run is carried out; none of it changes what is computed, but for rounding."""

    processes: Processes
    dtype: torch.dtype
    workers: int
    save_every: int
    compile: bool = False


def initial_decoder(seed: int) -> Decoder:
    """A decoder with PyTorch's default initial weights, uniform within 1/sqrt(fan in), drawn from the seed alone."""
    decoder, draws = Decoder(), generator(seed, "decoder")
    for module in decoder.modules():
        if isinstance(module, nn.Conv2d):
            bound = (module.in_channels * 9) ** -0.5
            nn.init.uniform_(module.weight, -bound, bound, generator=draws)
            nn.init.uniform_(module.bias, -bound, bound, generator=draws)  # type: ignore[arg-type]
    return decoder


def new_state(params: AdainTrainParams, device: torch.device) -> State:
    """The state before the first step."""
    decoder = initial_decoder(params.seed).to(device).to(memory_format=torch.channels_last)
    average = deepcopy(decoder).requires_grad_(False) if params.average else None
    weights = [as_stored(parameter.detach()) for parameter in decoder.parameters()]
    optimiser = torch.optim.Adam(weights, params.learning_rate, betas=(0.9, params.beta2), fused=True)
    return State(decoder, average, optimiser, torch.zeros(params.max_iter, 2, device=device))


def as_stored(weights: Tensor) -> Tensor:
    """A view of a channels-last weight in its memory's order: fused Adam copies any other to that and back."""
    return weights.permute(0, 2, 3, 1) if weights.ndim == 4 else weights


def train(
    encoder: Encoder,
    batches: Batches | InTwoParts,
    params: AdainTrainParams,
    setting: Setting,
    folder: Path,
    report: Callable[[Report], None],
) -> State:
    """Train up to ``max_iter`` steps and return the final state; ``folder`` then holds the milestones.

    Goes on from the newest whole state in ``folder``. ``report`` is called in the writing process, first with all
    earlier steps, then every ``log_every`` steps. Losses are read from the device only then: no step waits for it.
    """
    device, writes = setting.processes.device, setting.processes.writes
    kept = milestones(params)
    state = new_state(params, device)
    checkpoint.restore(state, folder, kept)
    setting.processes.wait()  # no process writes before all have read
    encode_once, step_once = step_functions(encoder, state, params, setting)
    stops = {*kept.values(), *range(0, params.max_iter, params.log_every), params.max_iter}
    stops |= set(range(0, params.max_iter, setting.save_every))
    known = state.step
    if writes:
        report(Report(known, 0, state.history[:known].cpu(), state.best))
    first = block_start(state.step, params.partners)
    begin, end = (batches_needed(step, params.partners) for step in (first, params.max_iter))
    with Feed(batches, begin, end, setting.workers, device) as feed:
        encoded = (encode_once(content, style) for content, style in feed)
        for content, style in pairings(encoded, params.partners, state.step, params.max_iter):
            step_once(content, style)
            if state.step not in stops:
                continue
            block = _checked(setting.processes.average(state.history[known : state.step]), known)
            state.history[known : state.step] = block
            if writes:
                report(Report(state.step, known, block.cpu(), state.best, feed.waited))
                _keep(state, folder, kept, setting.save_every)
            known = state.step
    return state


def step_functions(
    encoder: Encoder, state: State, params: AdainTrainParams, setting: Setting
) -> tuple[Callable[[Tensor, Tensor], tuple[Tensor, Statistics]], Callable[[Tensor, Statistics], None]]:
    """Return two functions: encode two batches of uint8 crops, and move ``state`` one step on by what that gave."""
    device, dtype = setting.processes.device, setting.dtype
    encoder = deepcopy(encoder).to(device, dtype).to(memory_format=torch.channels_last)
    model = setting.processes.wrap(state.decoder)
    weights = torch.tensor([params.content_weight, params.style_weight], device=device)
    encoded = torch.compile(encode) if setting.compile else encode
    losses_of = torch.compile(decoding_losses) if setting.compile else decoding_losses

    def encode_once(content: Tensor, style: Tensor) -> tuple[Tensor, Statistics]:
        return encoded(encoder, to_images(content, dtype), to_images(style, dtype))

    def step_once(content: Tensor, style: Statistics) -> None:
        state.decoder.zero_grad(set_to_none=True)
        losses = losses_of(encoder, model, content, style)
        (losses * weights).sum().backward()
        _update_weights(state, learning_rate(params, state.step))
        state.history[state.step] = losses.detach()
        state.step += 1
        _update_average(state, params.average)

    return encode_once, step_once


def _update_weights(state: State, rate: float) -> None:
    """One step of Adam on the gradients of the decoder, which the optimiser knows by views of its parameters."""
    (group,) = state.optimiser.param_groups
    group["lr"] = rate
    for weights, parameter in zip(group["params"], state.decoder.parameters(), strict=True):
        weights.grad = None if parameter.grad is None else as_stored(parameter.grad)
    state.optimiser.step()


@torch.no_grad()
def _update_average(state: State, decay: float) -> None:
    """Exponential moving average of the weights with ``decay`` per step; a short memory at the start."""
    if state.average is None or state.step % AVERAGE_EVERY:
        return
    limit = (1 + state.step) / (10 + state.step)  # a tenth of the run so far, so that the initial weights are forgotten
    share = 1 - min(decay, limit) ** AVERAGE_EVERY
    torch._foreach_lerp_(list(state.average.parameters()), list(state.decoder.parameters()), share)


def _checked(losses: Tensor, first: int) -> Tensor:
    """UserError if a loss is not finite: the training has diverged and would only waste time."""
    bad = (~losses.isfinite()).any(dim=1).nonzero()
    if len(bad):
        at = first + int(bad[0]) + 1
        raise UserError(f"adain_train: the loss is not finite at iteration {at}; lower adain.train.learning_rate")
    return losses


def _keep(state: State, folder: Path, kept: dict[int, int], save_every: int) -> None:
    """Write the milestones that are due now, then the state."""
    due = [percent for percent, step in kept.items() if step == state.step]
    for percent in due:
        checkpoint.save_milestone(state, folder, percent)
    if due or state.step % save_every == 0:
        checkpoint.save(state, folder)
