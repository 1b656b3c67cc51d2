"""The training data of a step, and what kind of step it is: a function of (seed, step) alone. And the held-out pairs.

Nothing here has a state: whichever process asks for step t, after whichever interruption, gets the same pixels.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2.functional import center_crop, pil_to_tensor, resize

from nnlab.data.gallery import HELD_OUT, PAINTINGS, PHOTOS
from nnlab.data.images import list_images, read_image
from nnlab.data.imageset import ImageSet
from nnlab.errors import UserError
from nnlab.params import AdainEvaluateParams, AdainTrainParams
from nnlab.training.seeds import generator

RECENT = 64  # steps: a photo as style is the content of one of the last ones, whose statistics are known already

Pair = tuple[Tensor, Tensor]  # a held-out photo and painting, (1, 3, side, side) uint8, not of one size


class Batch(NamedTuple):
    """Crops of one step, each (B, 3, crop, crop) uint8, channels-last, and how far the style is to be taken."""

    content: Tensor
    style: Tensor | None  # None: an identity step, the style is the content
    alpha: Tensor = torch.ones(())  # a tensor: a compiled step takes a number for a constant
    recent: int | None = None  # the step whose content the style is


@dataclass(frozen=True)
class Crops(Dataset):
    """`crops[step]` is the batch of that step: photos, paintings, and the parameters that say how they are drawn.

    `batch_size` is the global one; rank r gets its r-th part, so that the union over the ranks is the same for any
    `world`. Pictures, places and mirrorings are drawn uniformly. What kind of step it is, all ranks agree on.
    """

    content: ImageSet
    style: ImageSet
    params: AdainTrainParams
    rank: int = 0
    world: int = 1

    def __post_init__(self) -> None:
        if self.params.batch_size % self.world:
            raise UserError(
                f"adain.train.batch_size = {self.params.batch_size} cannot be split over {self.world} processes; "
                "use a multiple"
            )

    def __getitem__(self, step: int) -> Batch:
        params, draws = self.params, generator(self.params.seed, "step", step)
        draw = torch.rand(7, generator=draws, dtype=torch.float64).tolist()
        identity, partial, alpha, photo, plain, solid, lag = draw
        content = self._crops(self.content, step, "content")
        if identity < params.identity.share:
            return Batch(content, None)
        recent = step - 1 - int(lag * RECENT) if photo < params.photo_styles else None
        of_style = (self.style, step, "style") if recent is None else (self.content, recent, "content")
        style = self._crops(*of_style)
        if plain < params.plain_styles:
            style, recent = one_colour(style) if solid < 0.5 else grey(style), None
            style = style.contiguous(memory_format=torch.channels_last)  # repeated elements cannot be pinned for a GPU
        return Batch(content, style, torch.tensor(alpha if partial < params.random_alpha else 1.0), recent)

    def _crops(self, pool: ImageSet, step: int, name: str) -> Tensor:
        """This rank's crops of `pool`, drawn for `step`: (batch_size / world, 3, crop, crop) uint8."""
        share = self.params.batch_size // self.world
        draws = _draws(self.params.batch_size, self.params.seed, name, step)
        return cut(pool, draws[self.rank * share : (self.rank + 1) * share], self.params.crop, self.params.sides)


def sample_crops(content: ImageSet, style: ImageSet, seed: int, each: int = 48, crop: int = 128) -> Tensor:
    """Crops of pictures of 192 pixels, half of them photos: (2 each, 3, crop, crop) uint8, for the start."""
    pools = {"content": content, "style": style}
    return torch.cat([cut(pool, _draws(each, seed, "start", name), crop, [192]) for name, pool in pools.items()])


def cut(pool: ImageSet, draws: list[list[float]], crop: int, sides: list[int]) -> Tensor:
    """(N, 3, crop, crop) uint8, channels-last; a row of draws in [0, 1): picture, its side, top, left, mirrored."""
    crops = []
    for picture, side, top, left, mirrored in draws:
        pixels = pool.pixels(int(picture * len(pool)), sides[int(side * len(sides))])
        y, x = int(top * (pixels.shape[0] - crop + 1)), int(left * (pixels.shape[1] - crop + 1))
        pixels = pixels[y : y + crop, x : x + crop]
        crops.append(pixels[:, ::-1] if mirrored < 0.5 else pixels)
    return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)


def _draws(count: int, seed: int, *stream: int | str) -> list[list[float]]:
    return torch.rand(count, 5, generator=generator(seed, *stream), dtype=torch.float64).tolist()


def grey(crops: Tensor) -> Tensor:
    """(B, 3, H, W) uint8 with the mean of the channels in all three."""
    return crops.float().mean(1, keepdim=True).round_().byte().expand_as(crops)


def one_colour(crops: Tensor) -> Tensor:
    """(B, 3, H, W) uint8, each the colour of its first pixel."""
    return crops[:, :, :1, :1].expand_as(crops)


def feed(crops: Crops, steps: range, workers: int, device: torch.device) -> Iterator[Batch]:
    """The batches of `steps`, on `device`.

    Where decoded pictures stay in memory, a batch is made when it is asked for; else `workers` processes make it ahead.
    """
    kept = all(pool.fits(side) for pool in (crops.content, crops.style) for side in crops.params.sides)
    workers = 0 if kept else workers
    ahead = device.type == "cuda"  # to Apple's GPU such a copy may read memory that is another's by then
    loader = DataLoader(
        crops, batch_size=None, sampler=steps, num_workers=workers, pin_memory=ahead,
        prefetch_factor=4 if workers else None, collate_fn=_shared if workers else None,
    )  # fmt: skip
    try:
        for batch in loader:
            yield Batch._make(x.to(device, non_blocking=ahead) if isinstance(x, Tensor) else x for x in batch)
    except UserError as error:  # from a worker it comes with that one's whole traceback, whose last line it is
        raise UserError(str(error).strip().splitlines()[-1].removeprefix("nnlab.errors.UserError: ")) from None


def _shared(batch: Any) -> Batch:
    """The batch in shared memory: where there is too little, this is an error, which torch's own way there loses."""
    return Batch._make(x.share_memory_() if isinstance(x, Tensor) else x for x in batch)


def held_out_pairs(pictures: Path, params: AdainEvaluateParams) -> Iterator[Pair]:
    """The middle squares of the held-out photos of a gallery, each with one of its held-out paintings in turn."""
    photos, paintings = (list_images(pictures / kind / HELD_OUT) for kind in (PHOTOS, PAINTINGS))
    for photo, painting in zip(photos, cycle(paintings)):
        yield _square(photo, params.content_side), _square(painting, params.style_side)


def _square(path: Path, side: int) -> Tensor:
    """The square in the middle of a picture, its shorter side `side` pixels: (1, 3, side, side) uint8."""
    image = resize(read_image(path), [side], InterpolationMode.LANCZOS)
    return pil_to_tensor(center_crop(image, [side]))[None]
