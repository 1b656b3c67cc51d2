"""The two pictures of a job at any size, and colour preservation."""

from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from nnlab.data.images import read_image
from nnlab.data.tensors import to_tensor
from nnlab.errors import UserError

LUMA = (0.299, 0.587, 0.114)
"""Weights of R, G, B in the luminance: ITU-R BT.601, the Y of YIQ."""

SMALLEST_COARSE_SIDE = 48
"""Pixels: a coarse level whose shorter side would be smaller is left out, there is no style to learn from it."""


@dataclass(frozen=True)
class Pictures:
    """Content, style and, if the job starts from a file, that picture, at their own sizes."""

    content: Image.Image
    style: Image.Image
    start: Image.Image | None

    def content_at(self, size: int) -> Tensor:
        """(1, 3, H, W) in [0, 1] with the longer side `size` pixels, aspect kept."""
        return to_tensor(scaled(self.content, size / max(self.content.size)))

    def style_at(self, content: Tensor, scale: float) -> Tensor:
        """The style picture with scale^2 times as many pixels as `content`, aspect kept."""
        area = self.style.width * self.style.height
        return to_tensor(scaled(self.style, scale * (content[0, 0].numel() / area) ** 0.5))

    def start_at(self, content: Tensor) -> Tensor:
        """The start picture, else the content, at exactly the size of `content`."""
        if self.start is None:
            return content
        height, width = content.shape[2:]
        return to_tensor(self.start.resize((width, height), Image.Resampling.LANCZOS))


def read_pictures(content: Path, style: Path, start: str) -> Pictures:
    """Read the files; `start` is "content", "noise" or a file's path. UserError for one that cannot be read."""
    picture = None if start in ("content", "noise") else read_image(Path(start))
    return Pictures(read_image(content), read_image(style), picture)


def scaled(picture: Image.Image, scale: float) -> Image.Image:
    """The picture with both sides times `scale`, at least one pixel each."""
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS)


def level_sizes(picture: Image.Image, size: int, coarse_iterations: list[int]) -> list[tuple[int, int]]:
    """(longer side, iterations) of the coarse levels, smallest first; each has half the size of the next."""
    aspect = min(picture.size) / max(picture.size)
    levels = [(round(size / 2 ** (len(coarse_iterations) - k)), n) for k, n in enumerate(coarse_iterations)]
    return [(side, count) for side, count in levels if count and side * aspect >= SMALLEST_COARSE_SIDE]


def check_side(image: Tensor, name: Path, smallest: int) -> None:
    """UserError naming the file if a side of `image` (1, 3, H, W), as resized, has fewer than `smallest` pixels."""
    height, width = image.shape[2:]
    if min(height, width) < smallest:
        raise UserError(f"{name}: {width}x{height} pixels after resizing; these layers need at least {smallest} a side")


def luminance(image: Tensor) -> Tensor:
    """(1, 3, H, W) -> (1, 1, H, W): the Y of YIQ."""
    return (image * image.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)


def only_luminance(content: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
    """Both pictures as grey RGB; the style's luminance gets the mean and deviation of the content's.

    Gatys et al. 2016, "Preserving Color in Neural Artistic Style Transfer" (arXiv:1606.05897), section
    3.2, equation 10.
    """
    of_content, of_style = luminance(content), luminance(style)
    deviation = of_style.std(unbiased=False).clamp(min=1e-6)
    matched = (of_style - of_style.mean()) * (of_content.std(unbiased=False) / deviation) + of_content.mean()
    return of_content.expand(-1, 3, -1, -1).contiguous(), matched.expand(-1, 3, -1, -1).contiguous()


def with_colors_of(content: Tensor, image: Tensor) -> Tensor:
    """`image`'s luminance with I and Q of `content` (section 3.2): R, G and B shift alike; clipped to [0, 1]."""
    return (content + luminance(image) - luminance(content)).clamp(0, 1)


def upscaled(image: Tensor, like: Tensor) -> Tensor:
    """`image` (1, 3, H, W) enlarged to the size of `like` (bicubic)."""
    return torch.nn.functional.interpolate(image, size=like.shape[2:], mode="bicubic", align_corners=False)
