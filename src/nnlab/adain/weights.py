"""Weight files of encoder and decoder: this project's safetensors and the reference's ``nn.Sequential`` .pth."""

from pathlib import Path

import torch
from torch import Tensor, nn

from nnlab.adain.model import DECODER_LAYERS, ENCODER_LAYERS, FEATURES, Decoder, Encoder
from nnlab.errors import UserError
from nnlab.files import atomic
from nnlab.training.state import load_tensors, save_tensors
from nnlab.vgg_layers import LAYERS
from nnlab.vgg_weights import Weights, read_weights, sequential_index, to_state

# Positions of the decoder's convolutions in the reference's nn.Sequential (naoto0804/pytorch-AdaIN, net.py).
REFERENCE_DECODER = dict(zip([name for name, _, _ in DECODER_LAYERS], (1, 5, 8, 11, 14, 18, 21, 25, 28)))
_KINDS = ("weight", "bias")


def load_encoder(path: Path) -> Encoder:
    """Load a frozen float32 encoder from this project's safetensors or the reference's vgg_normalised.pth.

    Raises UserError if the file is damaged, foreign, or ends before relu4_1.
    """
    return encoder_from(read_weights(path), path)


def encoder_from(weights: Weights, origin: Path) -> Encoder:
    """Build a frozen float32 encoder; UserError naming `origin` if the weights end before relu4_1."""
    try:
        return Encoder(weights)
    except UserError as error:
        raise UserError(f"{origin}: {error}; AdaIN needs VGG19 up to {FEATURES[-1]}") from None


def save_encoder(weights: Weights, path: Path, metadata: dict[str, str]) -> None:
    """Write VGG19 weights up to relu4_1 as safetensors (the project's own format), atomically."""
    names = [name for name, _, _ in ENCODER_LAYERS]
    kept = Weights("nnlab", weights.mean, {name: weights.convs[name] for name in names})
    save_tensors(path, to_state(kept), metadata)


def load_decoder(path: Path) -> Decoder:
    """Load a float32 decoder from our safetensors (any float type) or the reference's decoder.pth, else UserError."""
    state = load_tensors(path)[0] if path.suffix == ".safetensors" else _from_pickle(path)
    decoder = Decoder()
    try:
        decoder.load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise UserError(f"{path}: not weights of the AdaIN decoder: {reason}") from None
    return decoder.eval()


def save_decoder(decoder: nn.Module, path: Path, metadata: dict[str, str], dtype: torch.dtype = torch.float32) -> None:
    """Write a decoder as safetensors of ``dtype`` with text metadata, atomically."""
    save_tensors(path, {key: value.detach().to(dtype) for key, value in decoder.state_dict().items()}, metadata)


def write_reference_files(encoder: Encoder, decoder: Decoder, folder: Path) -> list[Path]:
    """Write both for pytorch-AdaIN (`test.py --vgg vgg_normalised.pth --decoder decoder.pth`); return the paths."""
    states = {"vgg_normalised.pth": encoder_to_reference(encoder), "decoder.pth": decoder_to_reference(decoder)}
    for name, state in states.items():
        with atomic(folder / name) as temporary:
            torch.save(state, temporary)
    return [folder / name for name in states]


def encoder_to_reference(encoder: Encoder) -> dict[str, Tensor]:
    """Return the encoder for the reference's ``nn.Sequential``; its 1x1 convolution is the identity.

    The layers behind relu4_1, which the reference loads but never uses, are zeros that take no space in a file.
    """
    ours = encoder.state_dict()
    state = {"0.weight": torch.eye(3)[:, :, None, None], "0.bias": torch.zeros(3)}
    unused = {"weight": torch.zeros(1).expand(512, 512, 3, 3), "bias": torch.zeros(1).expand(512)}
    for layer in LAYERS:
        for kind in _KINDS:
            key = f"{layer}.{kind}"
            state[f"{sequential_index(layer)}.{kind}"] = ours[key].float().cpu() if key in ours else unused[kind]
    return state


def decoder_to_reference(decoder: Decoder) -> dict[str, Tensor]:
    """Return a decoder as the reference's state dict: ``torch.save`` it, and its test.py runs with it."""
    state = {key: value.float().cpu() for key, value in decoder.state_dict().items()}
    return {f"{i}.{kind}": state[f"{name}.{kind}"] for name, i in REFERENCE_DECODER.items() for kind in _KINDS}


def _from_pickle(path: Path) -> dict[str, Tensor]:
    """Read the reference's decoder; a pickle that would run code is refused."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        return {f"{name}.{kind}": state[f"{i}.{kind}"] for name, i in REFERENCE_DECODER.items() for kind in _KINDS}
    except FileNotFoundError:
        raise UserError(f"{path}: not found") from None
    except Exception as error:  # a damaged or foreign file fails in the reader with about ten different types
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise UserError(f"{path}: not a decoder in the reference's format ({reason})") from None
