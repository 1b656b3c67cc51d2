"""The weights of encoder and decoder: how the encoder's are normalised, and files of both.

The normalised encoder is VGG19 with every filter rescaled to a mean activation of 1 (Gatys et al. 2016, section 2).
ReLU, max pooling and reflection are homogeneous, so dividing a filter by its mean activation and multiplying the next
layer's weights for that channel by it leaves the network's function unchanged up to the scale of each channel.

Files are this project's safetensors and the reference's ``nn.Sequential`` .pth.
"""

import io
import re
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from nnlab.adain.model import DECODER_LAYERS, FEATURES, Decoder, Encoder
from nnlab.errors import UserError
from nnlab.files import atomic
from nnlab.training.state import load_tensors, save_tensors
from nnlab.vgg.layers import LAYERS, up_to
from nnlab.vgg.network import VGG19
from nnlab.vgg.weights import Weights, read_state, read_weights, sequential_index

ENCODED = up_to(FEATURES[-1])  # the layers of the encoder
# What the folder of a training holds: the decoders after so many percent of it, the encoder that they fit, the losses.
CHECKPOINT, ENCODER, CURVES = "decoder_{}.safetensors", "encoder.safetensors", "curves.csv"
LAST = CHECKPOINT.format(100)

# Keys of the decoder -> those of the reference's nn.Sequential (naoto0804/pytorch-AdaIN, net.py).
_POSITIONS = zip([name for name, _, _ in DECODER_LAYERS], (1, 5, 8, 11, 14, 18, 21, 25, 28))
REFERENCE_KEYS = {f"{name}.{kind}": f"{i}.{kind}" for name, i in _POSITIONS for kind in ("weight", "bias")}


@torch.no_grad()
def filter_means(weights: Weights, images: Iterable[Tensor]) -> dict[str, Tensor]:
    """Return the mean activation of every filter, by layer, float64 (C,), over all positions of all images.

    ``images`` are (1, 3, H, W) in [0, 1] and may differ in size; all positions count alike.
    """
    network = VGG19(weights, ENCODED, reflect=True)
    sums, counts = dict.fromkeys(ENCODED, torch.zeros((), dtype=torch.float64)), dict.fromkeys(ENCODED, 0)
    for image in images:
        for layer, x in network(image).items():
            sums[layer] = sums[layer] + x.sum(dim=(0, 2, 3), dtype=torch.float64)
            counts[layer] += x[0, 0].numel()
    return {layer: sums[layer] / counts[layer] for layer in ENCODED}


def normalised(weights: Weights, means: dict[str, Tensor]) -> Weights:
    """Return weights up to relu4_1 whose filters' activations are divided by ``means``.

    A filter that no image excites (mean 0) keeps its scale.
    """
    convs = {}
    incoming = torch.ones(3, dtype=torch.float64)
    for layer in ENCODED:
        weight, bias = weights.convs[layer]
        scale = torch.where(means[layer] > 0, means[layer].double(), 1.0)
        scaled = weight.double() * incoming[None, :, None, None] / scale[:, None, None, None]
        convs[layer] = (scaled.float(), (bias.double() / scale).float())
        incoming = scale
    return Weights("nnlab", weights.mean, convs)


def load_encoder(path: Path) -> Encoder:
    """Load a frozen float32 encoder from this project's safetensors or any VGG19 weights, else UserError."""
    return Encoder(read_weights(path))


def save_encoder(weights: Weights, path: Path, metadata: dict[str, str]) -> None:
    """Write VGG19 weights up to relu4_1 as safetensors (`mean`, `<layer>.weight`, `<layer>.bias`), atomically."""
    convs = {f"{x}.{kind}": tensor for x in ENCODED for kind, tensor in zip(("weight", "bias"), weights.convs[x])}
    save_tensors(path, {"mean": weights.mean, **convs}, metadata)


def load_decoder(path: Path) -> Decoder:
    """Load a float32 decoder from our safetensors (any float type) or the reference's decoder.pth, else UserError."""
    state, decoder = read_state(path), Decoder()
    try:
        decoder.load_state_dict({ours: state[key] for ours, key in REFERENCE_KEYS.items() if key in state} or state)
    except (RuntimeError, TypeError) as error:
        reason = str(error).splitlines()[-1].strip()
        raise UserError(f"{path}: not weights of the AdaIN decoder: {reason}") from None
    return decoder.eval()


def save_decoder(decoder: nn.Module, path: Path, metadata: dict[str, str], dtype: torch.dtype = torch.float32) -> None:
    """Write a decoder as safetensors of ``dtype`` with text metadata, atomically."""
    save_tensors(path, {key: value.detach().to(dtype) for key, value in decoder.state_dict().items()}, metadata)


def checkpoints(folder: Path) -> dict[int, Path]:
    """The decoders in the folder of a training, by the percentage of it after which they were kept."""
    found = ((re.fullmatch(CHECKPOINT.format(r"(\d+)"), path.name), path) for path in folder.iterdir())
    return dict(sorted((int(match[1]), path) for match, path in found if match))


def iterations(decoder: Path) -> int:
    """Training iterations that a decoder of the pipeline had."""
    return int(load_tensors(decoder)[1]["iteration"])


def write_reference_files(encoder: Encoder, decoder: Decoder, folder: Path) -> list[Path]:
    """Write both for pytorch-AdaIN (`test.py --vgg vgg_normalised.pth --decoder decoder.pth`); return the paths.

    The encoder's 1x1 convolution is the identity there; the layers behind relu4_1, which the reference loads but never
    uses, are zeros that take no space in the file.
    """
    ours = encoder.state_dict()
    vgg = {"0.weight": torch.eye(3)[:, :, None, None], "0.bias": torch.zeros(3)}
    for kind, unused in (("weight", torch.zeros(1).expand(512, 512, 3, 3)), ("bias", torch.zeros(1).expand(512))):
        vgg |= {f"{sequential_index(layer)}.{kind}": ours.get(f"{layer}.{kind}", unused) for layer in LAYERS}
    states = {
        "vgg_normalised.pth": vgg,
        "decoder.pth": {REFERENCE_KEYS[key]: tensor for key, tensor in decoder.state_dict().items()},
    }
    for name, state in states.items():
        torch.save(state, buffer := io.BytesIO())  # into a file of a full disk it would be a RuntimeError
        with atomic(folder / name) as temporary:
            temporary.write_bytes(buffer.getvalue())
    return [folder / name for name in states]
