"""naoto0804/pytorch-AdaIN, the peer: its recipe as our parameters, its network and its step in plain PyTorch modules.

Written from its public description (ReflectionPad2d, Conv2d, ReLU, MaxPool2d, nearest up-sampling one after the other;
torch.optim.Adam; two losses read from the device in every step), so that nothing has to be fetched to compare with it.
"""

from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nnlab.adain.model import DECODER_LAYERS, ENCODER_LAYERS, ENLARGED, Decoder, Encoder
from nnlab.training.device import autocast

RATE = 1e-4
RECIPE = {
    "batch_size": 8, "crop": 256, "sides": [512], "start": "random", "optimizer": "adam",
    "learning_rate": RATE, "decay": 5e-5, "warmup": 0, "cooldown": 0.0, "average": 0.0,
    "structure_weight": 0.0, "color_weight": 0.0, "power": 1.0, "identity": {"share": 0.0, "pixel_weight": 0.0},
    "random_alpha": 0.0, "photo_styles": 0.0, "plain_styles": 0.0,
}  # fmt: skip


class Plain(nn.Module):
    """Encoder to relu4_1, in four parts that end at the style layers, and decoder, with the weights of ours."""

    def __init__(self, encoder: Encoder, decoder: Decoder) -> None:
        super().__init__()
        self.encoder, part = nn.ModuleList(), []
        for layer, _, _ in ENCODER_LAYERS:
            ends = layer.endswith("conv1")
            if ends and self.encoder:
                part.append(nn.MaxPool2d(2, ceil_mode=True))
            part += [*_padded(getattr(encoder, layer)), nn.ReLU()]
            if ends:
                self.encoder.append(nn.Sequential(*part))
                part = []
        steps: list[nn.Module] = []
        for layer, _, _ in DECODER_LAYERS:
            steps += [nn.UpsamplingNearest2d(scale_factor=2)] * (layer in ENLARGED)
            steps += [*_padded(getattr(decoder, layer)), nn.ReLU()]
        self.encoder.requires_grad_(False)
        self.decoder = nn.Sequential(*steps[:-1])  # no ReLU after the colours

    def features(self, images: Tensor) -> list[Tensor]:
        """relu1_1 to relu4_1 of images (B, 3, H, W) in [0, 1]."""
        found = [images]
        for part in self.encoder:
            found.append(part(found[-1]))
        return found[1:]

    def draw(self, content: Tensor, style: Tensor) -> Tensor:
        """The content in the style, images (B, 3, H, W)."""
        return self.decoder(_adain(self.features(content)[-1], self.features(style)[-1]))

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        """Content and style loss, (2,), of images (B, 3, H, W) in [0, 1]."""
        wanted = self.features(style)
        target = _adain(self.features(content)[-1], wanted[-1])
        made = self.features(self.decoder(target))
        style_losses = [F.mse_loss(a, b) for x, y in zip(made, wanted) for a, b in zip(_mean_std(x), _mean_std(y))]
        return torch.stack([F.mse_loss(made[-1], target), torch.stack(style_losses).sum()])


def step(network: Plain, batch: Iterable[Tensor], precision: torch.dtype) -> Callable[[], None]:
    """Return what takes a training step on content and style crops (B, 3, H, W) uint8; bfloat16 by autocast."""
    content, style = (crops.float().contiguous() / 255 for crops in batch)
    optimizer = torch.optim.Adam(network.decoder.parameters(), lr=RATE)

    def run() -> None:
        with autocast(content.device, precision):
            losses = network(content, style)
        optimizer.zero_grad()
        (losses[0] + 10 * losses[1]).backward()
        optimizer.step()
        _ = losses[0].item(), losses[1].item()  # it logs both

    return run


def _padded(layer: nn.Conv2d) -> list[nn.Module]:
    conv = nn.Conv2d(layer.in_channels, layer.out_channels, 3)
    with torch.no_grad():
        conv.weight.copy_(layer.weight)
        conv.bias.copy_(layer.bias)  # type: ignore[union-attr]
    return [nn.ReflectionPad2d(1), conv]


def _mean_std(x: Tensor) -> tuple[Tensor, Tensor]:
    flat = x.flatten(2)
    return flat.mean(2)[..., None, None], (flat.var(2) + 1e-5).sqrt()[..., None, None]


def _adain(content: Tensor, style: Tensor) -> Tensor:
    (mean, std), (style_mean, style_std) = _mean_std(content), _mean_std(style)
    return (content - mean) / std * style_std + style_mean
