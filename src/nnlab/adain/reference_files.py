"""Encoder and decoder as files for pytorch-AdaIN: `test.py --vgg vgg_normalised.pth --decoder decoder.pth`."""

from pathlib import Path

import torch
from torch import Tensor

from nnlab.adain.model import Decoder, Encoder
from nnlab.adain.weights import decoder_to_reference, encoder_to_reference
from nnlab.files import atomic
from nnlab.vgg_layers import LAYERS
from nnlab.vgg_weights import sequential_index

ENCODER_FILE, DECODER_FILE = "vgg_normalised.pth", "decoder.pth"  # the names that the reference expects


def write_reference_files(encoder: Encoder, decoder: Decoder, folder: Path) -> list[Path]:
    """Write both files into `folder` and return their paths. They belong together: a decoder fits its encoder alone."""
    states = {ENCODER_FILE: _whole_vgg(encoder), DECODER_FILE: decoder_to_reference(decoder)}
    for name, state in states.items():
        with atomic(folder / name) as temporary:
            torch.save(state, temporary)
    return [folder / name for name in states]


def _whole_vgg(encoder: Encoder) -> dict[str, Tensor]:
    """The encoder and the layers behind relu4_1, which the reference loads but never uses: zeros that take no space."""
    state = encoder_to_reference(encoder)
    for layer in LAYERS:
        index = sequential_index(layer)
        if f"{index}.weight" not in state:
            state[f"{index}.weight"] = torch.zeros(1).expand(512, 512, 3, 3)
            state[f"{index}.bias"] = torch.zeros(1).expand(512)
    return state
