"""The AdaIN network (Huang & Belongie 2017, arXiv:1703.06868): encoder to relu4_1, AdaIN, decoder.

Images are (B, 3, H, W) RGB in [0, 1]; features are (B, C, h, w). The encoder computes in the dtype of its weights, the
decoder in that of its input: float32 master weights with bfloat16 inputs give a bfloat16 forward pass with float32
gradients.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nnlab.adain.statistics import mean_std, rescaled
from nnlab.training.seeds import initial_weights
from nnlab.vgg import winograd
from nnlab.vgg.layers import CHANNELS, up_to
from nnlab.vgg.network import VGG19
from nnlab.vgg.weights import Weights

# relu1_1 to relu4_1, the style layers of the paper's section 6.2; the last one is the content layer.
FEATURES = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1")

# VGG19 up to relu4_1: (name, input channels, output channels), a pooling before each block but the first.
ENCODER_LAYERS = tuple((name, *CHANNELS[name]) for name in up_to(FEATURES[-1]))
DECODER_LAYERS = tuple((name, outputs, inputs) for name, inputs, outputs in reversed(ENCODER_LAYERS))

ENLARGED = ("block3_conv4", "block2_conv2", "block1_conv2")  # layers of the decoder that see a map enlarged twofold

MIN_SIDE = 9  # pixels: three poolings (rounding up) must leave the two positions that reflection padding needs


def _conv(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """3x3 convolution (B, C, h, w) -> (B, D, h, w) with a reflected border of one position."""
    padded = F.pad(x, (1, 1, 1, 1), mode="reflect")
    if winograd.pays(x, weight, rough=True):
        return winograd.conv3x3(padded, winograd.kernels(weight, x.dtype), bias.to(x.dtype))
    return F.conv2d(padded, weight.to(x.dtype), bias.to(x.dtype))


def _enlarged_taps() -> Tensor:
    """(4, 4, 9) zeros and ones: which taps of a 3x3 kernel fall onto each tap of the 2x2 kernel of each quarter.

    An enlarged map repeats every position twice, so the three taps of a row see two positions: of an output position
    with an even number the first one and the sum of the other two, of one with an odd number the other way round.
    """
    even, odd = [[1.0, 0, 0], [0, 1, 1]], [[1.0, 1, 0], [0, 0, 1]]
    row = torch.tensor([odd, even])  # quarters in the order in which `pixel_shuffle` and the crop after it leave them
    return torch.einsum("aik,bjl->abijkl", row, row).reshape(4, 4, 9)


def _conv_enlarged(x: Tensor, weight: Tensor, bias: Tensor, taps: Tensor) -> Tensor:
    """What `_conv` gives for x (B, C, h, w) enlarged twofold, nearest neighbour: (B, D, 2h, 2w), to rounding.

    Each quarter of the output positions is a 2x2 convolution of x itself: 4/9 of the multiplications, and no enlarged
    copy of x. A reflected border of the enlarged map is a repeated border of x. The quarters are put together as in
    sub-pixel convolution (Shi et al. 2016, arXiv:1609.05158, and the note on it, arXiv:1609.07009).
    """
    kernels = taps.flatten(0, 1) @ weight.permute(0, 2, 3, 1).flatten(1, 2)  # (D, 16, C)
    kernels = kernels.reshape(-1, 2, 2, kernels.shape[-1]).permute(0, 3, 1, 2).to(x.dtype)  # (4D, C, 2, 2)
    padded = _repeated_border(x)
    quarters = F.conv2d(padded, kernels, bias.to(x.dtype).repeat_interleave(4))  # (B, 4D, h + 1, w + 1)
    return F.pad(F.pixel_shuffle(quarters, 2), (-1, -1, -1, -1))


def _repeated_border(x: Tensor) -> Tensor:
    """x (B, C, h, w) with a border of one position that repeats its edge.

    Compiled for a CPU (torch 2.15), the padding's gradient has other strides than the compiler takes it to have.
    """
    if not torch.compiler.is_compiling():
        return F.pad(x, (1, 1, 1, 1), mode="replicate")
    x = torch.cat([x[:, :, :1], x, x[:, :, -1:]], 2)
    return torch.cat([x[..., :1], x, x[..., -1:]], 3)


class Encoder(VGG19):
    """Normalised VGG19 up to relu4_1, with reflection padding and pooling that rounds odd sizes up."""

    def __init__(self, weights: Weights) -> None:
        super().__init__(weights, FEATURES, reflect=True)

    def encode(self, images: Tensor) -> Tensor:
        """Return relu4_1 (B, 512, H/8, W/8), rounded up, of images (B, 3, H, W) in [0, 1], H and W >= MIN_SIDE."""
        return self(images)[FEATURES[-1]]


class Decoder(nn.Module):
    """Mirror of the encoder: nearest-neighbour up-sampling, reflection padding, no normalisation layers."""

    block4_conv1: nn.Conv2d  # the first of the layers that the constructor makes from their table
    taps: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, inputs, outputs in DECODER_LAYERS:
            setattr(self, name, nn.Conv2d(inputs, outputs, 3))
        self.register_buffer("taps", _enlarged_taps(), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return images (B, 3, 8h, 8w), about [0, 1] but not clamped, for features (B, 512, h, w) of relu4_1's kind."""
        x = features
        for name, _, _ in DECODER_LAYERS:
            layer = getattr(self, name)
            weight, bias = layer.weight, layer.bias
            x = _conv_enlarged(x, weight, bias, self.taps) if name in ENLARGED else _conv(x, weight, bias)
            if name != "block1_conv1":
                x = F.relu_(x)
        return x


def initial_decoder(seed: int) -> Decoder:
    """A decoder with PyTorch's default initial weights, drawn from the seed alone."""
    with initial_weights(seed):
        return Decoder()


def to_images(crops: Tensor, dtype: torch.dtype) -> Tensor:
    """(B, 3, H, W) uint8 -> images in [0, 1] of ``dtype``, channels-last, on the same device."""
    return crops.to(dtype, memory_format=torch.channels_last).div_(255)


def adain(content: Tensor, style: Tensor) -> Tensor:
    """Give content features (B, C, h, w) the means and deviations of style features (B, C, h', w') (paper, eq. 8)."""
    return adain_statistics(content, mean_std(content), mean_std(style))


def adain_statistics(content: Tensor, own: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor]) -> Tensor:
    """AdaIN with mean and deviation given, (B, C, 1, 1) each: `own` of the content, and what it is to have instead.

    The result has the dtype of `content`.
    """
    return rescaled(content, own[0], target[1] / own[1], target[0])
