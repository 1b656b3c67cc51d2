"""Encoder and decoder as ONNX files, for phones, browsers and programs without torch.

Their sizes are dynamic. AdaIN itself, between the two, is left to the caller: both files say how in their description.
"""

from copy import copy
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import Dim

from nnlab.adain.model import FEATURES, MIN_SIDE, Decoder, Encoder
from nnlab.adain.statistics import EPS
from nnlab.errors import UserError
from nnlab.files import atomic

OPSET = 18
LEAST = -(-MIN_SIDE // 8)  # positions a side of the smallest features
DESCRIPTION = f"""AdaIN style transfer (arXiv:1703.06868); NCHW, float32.
encoder.onnx: image (batch, 3, height, width), RGB in [0, 1], at least {MIN_SIDE} pixels a side
-> features (batch, 512, height / 8, width / 8), rounded up.
decoder.onnx: features (batch, 512, h, w) -> image (batch, 3, 8 h, 8 w), to be clipped to [0, 1].
Between the two, with the content's features f and the style's s, mean and std of each channel over its n positions:
t = (f - mean(f)) / std(f) * std(s) + mean(s), std(f) = sqrt(sum((f - mean(f))^2) / (n - 1) + {EPS});
the decoder gets alpha * t + (1 - alpha) * f. What `nnlab stylize` does beyond that is left out: with a
grey style, or one of one colour, the result may have other colours; on a content of one colour, rounding may show."""


def write_onnx(encoder: Encoder, decoder: Decoder, folder: Path) -> list[Path]:
    """Write encoder.onnx and decoder.onnx; return the paths. UserError where the packages for it are missing."""
    if not find_spec("onnxscript"):
        raise UserError("onnxscript, which writes ONNX, is not installed: pip install -e '.[onnx]'")
    last = copy(encoder)
    last.layers = FEATURES[-1:]  # this layer's features alone are given out
    _write(last, torch.rand(2, 3, 40, 56), MIN_SIDE, ("image", "features"), folder / "encoder.onnx")
    _write(decoder, torch.rand(2, 512, 5, 7), LEAST, ("features", "image"), folder / "decoder.onnx")
    return [folder / "encoder.onnx", folder / "decoder.onnx"]


def _write(network: nn.Module, example: Tensor, least: int, names: tuple[str, str], path: Path) -> None:
    """Export with any batch, height and width from `least` on; `names` are those of input and output."""
    sizes = {0: Dim("batch"), 2: Dim("height", min=least), 3: Dim("width", min=least)}
    program = torch.onnx.export(
        network.eval(),
        (example,),
        input_names=names[:1],
        output_names=names[1:],
        opset_version=OPSET,
        dynamic_shapes=(sizes,),
        verbose=False,
    )
    assert program, "only the deprecated exporter returns nothing"
    program.model.doc_string = DESCRIPTION
    with atomic(path) as temporary:
        program.save(temporary, external_data=False)
