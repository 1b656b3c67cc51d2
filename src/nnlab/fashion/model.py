"""The classifier: optional convolutions, optional hidden layers, ten scores."""

import torch
from torch import Tensor, nn

from nnlab.data.idx import unit
from nnlab.params import NetworkParams
from nnlab.training.seeds import initial_weights

# By label (https://github.com/zalandoresearch/fashion-mnist#labels)
CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
SIDE = 28  # pixels
FITTED = 10_000  # training images that give the mean image and the deviation: more do not change the third digit


class Network(nn.Module):
    """Layers, and how images become their inputs (kept in the state, so that a saved network is whole)."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__()
        self.layers = layers.to(memory_format=torch.channels_last)
        self.register_buffer("mean", torch.zeros(SIDE, SIDE))
        self.register_buffer("deviation", torch.ones(()))

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, 1, 28, 28) from `inputs` -> (N, 10) scores (logits)."""
        return self.layers(inputs)

    def inputs(self, images: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """(N, 28, 28) uint8 -> (N, 1, 28, 28) of `dtype`, about mean 0 and deviation 1.

        The square root spreads the dark tones, in which the folds of fabrics are.
        """
        tones = unit(images.to(self.mean.device)).sqrt_()
        return tones.sub_(self.mean).div_(self.deviation).to(dtype)[:, None]

    def fit_inputs(self, images: Tensor) -> None:
        """Take the mean image and the deviation of all pixels from the first training images (N, 28, 28) uint8.

        The mean is made symmetric, so that mirroring an input is the same as mirroring its image.
        """
        tones = unit(images[:FITTED]).sqrt_()
        mean = tones.mean(0)
        self.mean.copy_((mean + mean.flip(-1)) / 2)
        self.deviation.copy_(tones.std())


def build(settings: NetworkParams) -> Network:
    """Make a network with initial weights drawn from the seed: `hidden` [128] alone is 784-128-10.

    Each group of `convolutions`: 3x3 convolutions with batch normalisation and ReLU, and 2x2 max pooling after the last
    of them; then fully connected layers with ReLU.
    """
    with initial_weights(settings.seed):
        layers: list[nn.Module] = []
        channels, side = 1, SIDE
        for group in settings.convolutions:
            for width in group:
                layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
                channels = width
            layers.insert(-2, nn.MaxPool2d(2))  # before normalisation and ReLU: a quarter of their work (as airbench)
            side //= 2
        layers.append(nn.Flatten())
        features = channels * side * side
        for width in settings.hidden:
            layers += [nn.Linear(features, width), nn.ReLU()]
            features = width
        return Network(nn.Sequential(*layers, nn.Linear(features, len(CLASSES))))
