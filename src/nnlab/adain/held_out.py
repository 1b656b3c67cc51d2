"""The pictures that training never sees, and the losses of a decoder on fixed pairs of them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from nnlab.adain.losses import decoding_losses, encode
from nnlab.adain.model import Decoder, Encoder, to_images
from nnlab.data.pools import Pool
from nnlab.errors import UserError
from nnlab.params import KINDS
from nnlab.training.seeds import generator

_BATCH = 8  # pairs at once; bounds memory
_FEW = 4  # held-out pictures that a small set gives up to a quarter of itself for: fewer make the figures noisy


class Part:
    """Some pictures of a pool, as a pool."""

    def __init__(self, pool: Pool, indices: list[int]) -> None:
        self._pool, self._indices = pool, indices

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> Tensor:
        return self._pool[self._indices[index]]

    def pixels(self, index: int) -> np.ndarray:
        """Picture `index` as (H, W, 3) uint8; do not write into it."""
        return self._pool.pixels(self._indices[index])

    @property
    def names(self) -> list[str]:
        """The original names, by index."""
        names = self._pool.names
        return [names[index] for index in self._indices]

    @property
    def fits(self) -> bool:
        """Whether all decoded pictures of the pool stay in memory."""
        return self._pool.fits

    def release(self) -> None:
        """Give the memory of the pool's decoded pictures back; from now on none is kept."""
        self._pool.release()


def split(pool: Pool, pairs: int, seed: int, name: str) -> tuple[Part, Part]:
    """Return the pictures to train on and those held out, drawn by seed.

    Up to `pairs` pictures are held out, but no more than a sixth of the pool; of a small one up to four, but no more
    than a quarter: every photo counts there for the training, too. UserError for fewer than six pictures.
    """
    count = min(pairs, max(len(pool) // 6, min(_FEW, len(pool) // 4)))
    if len(pool) < 6:
        raise UserError(f"the {name} pool has {len(pool)} pictures; training needs at least 6, one of them held out")
    order = torch.randperm(len(pool), generator=generator(seed, "held out", name)).tolist()
    return Part(pool, sorted(order[count:])), Part(pool, sorted(order[:count]))


class Pairs(NamedTuple):
    """Content and style pictures of each pair, (N, 3, side, side) uint8 both."""

    content: Tensor
    style: Tensor

    def distinct(self) -> tuple[int, int]:
        """How many different photos and paintings take part: a few photos meet many paintings."""
        photos, paintings = (len({picture.numpy().tobytes() for picture in side}) for side in self)
        return photos, paintings


def held_out_pairs(content: Pool, style: Pool, pairs: int, side: int, seed: int) -> Pairs:
    """The middle squares of held-out pictures, paired so that every held-out content and style takes part.

    The pools' `resize` must be `side`: the pictures are judged as a whole, at that size.
    """
    contents, styles = (
        torch.stack([_middle(part[index], side) for index in range(len(part))])
        for part in (split(pool, pairs, seed, name)[1] for pool, name in zip((content, style), KINDS))
    )
    numbers = torch.arange(pairs)
    return Pairs(contents[numbers % len(contents)], styles[numbers * len(styles) // pairs])


def _middle(picture: Tensor, side: int) -> Tensor:
    """(3, H, W) -> the square in its middle (3, side, side)."""
    y, x = (picture.shape[1] - side) // 2, (picture.shape[2] - side) // 2
    return picture[:, y : y + side, x : x + side]


@torch.no_grad()
def held_out_losses(
    encoder: Encoder, decoders: Sequence[Decoder], pairs: Pairs, device: torch.device
) -> list[tuple[float, float]]:
    """Return each decoder's mean unweighted content and style loss over the pairs, computed in float32."""
    for module in (encoder, *decoders):
        module.to(device, torch.float32).to(memory_format=torch.channels_last)
    total = torch.zeros(len(decoders), 2, dtype=torch.float64)
    for content, style in zip(pairs.content.split(_BATCH), pairs.style.split(_BATCH)):
        encoded = encode(encoder, *(to_images(crops.to(device), torch.float32) for crops in (content, style)))
        losses = torch.stack([decoding_losses(encoder, decoder, *encoded) for decoder in decoders])
        total += len(content) * losses.double().cpu()
    return [(content, style) for content, style in (total / len(pairs.content)).tolist()]
