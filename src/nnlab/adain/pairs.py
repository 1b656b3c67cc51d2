"""Pairs of pictures that nothing is trained on: what decoders are judged by, and what TensorBoard shows."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2.functional import center_crop, pil_to_tensor, resize

from nnlab.data.gallery import HELD_OUT, PAINTINGS, PHOTOS
from nnlab.data.images import list_images, read_image
from nnlab.params import AdainEvaluateParams


class Pair(NamedTuple):
    """A photo and a painting, (1, 3, side, side) uint8, not of one size."""

    content: Tensor
    style: Tensor


def held_out_pairs(pictures: Path, params: AdainEvaluateParams) -> Iterator[Pair]:
    """The middle squares of the held-out photos of a gallery, each with one of its held-out paintings in turn."""
    photos, paintings = (list_images(pictures / kind / HELD_OUT) for kind in (PHOTOS, PAINTINGS))
    for number, photo in enumerate(photos):
        painting = paintings[number % len(paintings)]
        yield Pair(_square(photo, params.content_side), _square(painting, params.style_side))


def _square(path: Path, side: int) -> Tensor:
    """The square in the middle of a picture, its shorter side `side` pixels: (1, 3, side, side) uint8."""
    image = resize(read_image(path), [side], InterpolationMode.LANCZOS)
    return pil_to_tensor(center_crop(image, [side]))[None]
