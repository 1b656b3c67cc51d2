"""This project's AdaIN as the scripts of this folder measure it: parameters, a training, crops for a step."""

from collections.abc import Callable
from typing import Any

import torch
from run import ROOT

from nnlab.adain.data import Batch
from nnlab.adain.model import Decoder, Encoder
from nnlab.adain.train import State, new_state, step_function
from nnlab.params import AdainTrainParams, load_params
from nnlab.training.device import pick_device
from nnlab.training.processes import Processes


def settings(changes: dict[str, Any]) -> AdainTrainParams:
    """adain.train of params.yaml with other values."""
    return AdainTrainParams(**(load_params(ROOT / "params.yaml").adain.train.model_dump() | changes))


def training(
    encoder: Encoder, decoder: Decoder, params: AdainTrainParams, precision: torch.dtype, compiled: bool = False
) -> tuple[State, Callable[[Batch], None]]:
    """The state of a training in one process, and what takes a step."""
    device = pick_device("auto")
    state = new_state(decoder, params, device, precision)
    return state, step_function(encoder, state, params, Processes(0, 1, device), precision, compiled)


def random_batch(batch: int, crop: int) -> Batch:
    """Noise in the place of content and style crops."""
    crops = torch.randint(0, 255, (batch, 3, crop, crop), dtype=torch.uint8, device=pick_device("auto"))
    crops = crops.contiguous(memory_format=torch.channels_last)
    return Batch(crops, crops.flip(3), torch.ones((), device=crops.device))
