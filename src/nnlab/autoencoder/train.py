"""Training of one autoencoder, with or without noise on what it sees."""

import torch
import torch.nn.functional as F
from torch import Tensor

from nnlab.autoencoder.model import Autoencoder, build
from nnlab.data.idx import unit
from nnlab.params import AutoencoderParams, DenoiserParams
from nnlab.training.device import autocast
from nnlab.training.loop import Loss, Measure, Row, Split, in_chunks
from nnlab.training.seeds import generator


def prepare(
    data: Split, settings: AutoencoderParams, device: torch.device, precision: torch.dtype
) -> tuple[Autoencoder, Loss, Measure]:
    """An autoencoder, the BCE against the clean images of `data` that it is to minimise, and the BCE of any images.

    Labels are not used. A denoiser sees fresh noise in every step, and the same noise whenever it is judged.
    """
    images = pixels(data[0]).to(device)
    model = build(settings).to(device)

    def loss(batch: Tensor, epoch: int, step: int) -> Tensor:
        clean = images.index_select(0, batch)  # copies whole images: faster than images[batch]
        with autocast(device, precision):
            scores = model(add_noise(clean, settings, "noise", step))
        return bce(scores, clean)

    def measure(shown: Tensor, labels: Tensor) -> Row:
        clean = pixels(shown)
        scores = in_chunks(lambda chunk: model(chunk.to(device)), add_noise(clean, settings, "judge"))
        return {"loss": bce(scores, clean).item()}

    return model, loss, measure


def pixels(images: Tensor) -> Tensor:
    """Images (N, 28, 28) uint8 -> (N, 784) float32 in [0, 1]."""
    return unit(images).flatten(1)


def bce(scores: Tensor, target: Tensor) -> Tensor:
    """Mean binary cross-entropy in nats per pixel between sigmoid(scores) and target, any equal shapes.

    The target in [0, 1] is taken as the probability of a white pixel; its own entropy is the least possible value.
    """
    return F.binary_cross_entropy_with_logits(scores.float(), target)


def add_noise(images: Tensor, settings: AutoencoderParams, *stream: int | str) -> Tensor:
    """Images (N, 784) plus `noise_factor` N(0, 1), drawn from the seed and `stream`; values leave [0, 1].

    An autoencoder's images stay as they are.
    """
    if not isinstance(settings, DenoiserParams) or settings.noise_factor == 0:
        return images
    noise = torch.randn(images.shape, generator=generator(settings.seed, *stream))
    return images + settings.noise_factor * noise.to(images.device)
