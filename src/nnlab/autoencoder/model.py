"""The autoencoder: two mirrored stacks of fully connected layers."""

from itertools import pairwise

from torch import Tensor, nn

from nnlab.params import AutoencoderParams, DenoiserParams
from nnlab.training.seeds import initial_weights

PIXELS = 28 * 28
PLANE = 2  # numbers in the autoencoder's code: it can be drawn


class Autoencoder(nn.Module):
    """784 - hidden - code - hidden reversed - 784, with GELU between; pixel scores are linear.

    A code of two numbers is to be drawn in uniform steps. Linear codes are dense in the middle and have long tails, so
    these two are their inverse hyperbolic sines (about logarithms, of either sign); a wider code is linear.
    """

    def __init__(self, hidden: list[int], code: int) -> None:
        super().__init__()
        widths = [PIXELS, *hidden, code]
        self.encoder = _stack(widths)
        self.decoder = _stack(widths[::-1])

    def encode(self, images: Tensor) -> Tensor:
        """Images (N, 784) in about [0, 1] -> codes (N, code), unbounded."""
        codes = self.encoder(images)
        return codes.asinh() if codes.shape[1] == PLANE else codes

    def decode(self, codes: Tensor) -> Tensor:
        """Codes (N, code) -> pixel scores (N, 784): the sigmoid of a score is the pixel."""
        return self.decoder(codes)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, 784) -> pixel scores (N, 784) of their reconstructions."""
        return self.decode(self.encode(images))


def build(settings: AutoencoderParams) -> Autoencoder:
    """Make an autoencoder, or a denoiser, with initial weights drawn from the seed."""
    with initial_weights(settings.seed):
        return Autoencoder(settings.hidden, settings.code if isinstance(settings, DenoiserParams) else PLANE)


def _stack(widths: list[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.GELU()]
    return nn.Sequential(*layers[:-1])
