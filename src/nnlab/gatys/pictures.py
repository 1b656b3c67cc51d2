"""The pictures of a job at any size, and colour preservation."""

from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from nnlab.data.images import read_image
from nnlab.data.tensors import to_tensor
from nnlab.params import JobParams

LUMA = (0.299, 0.587, 0.114)
"""Weights of R, G, B in the luminance: ITU-R BT.601, the Y of YIQ."""


@dataclass(frozen=True)
class Pictures:
    """Content, style and, if the job starts from a file, that picture, at their own sizes."""

    content: Image.Image
    style: Image.Image
    start: Image.Image | None

    def content_at(self, size: int) -> Tensor:
        """(1, 3, H, W) in [0, 1] with the longer side `size` pixels, aspect kept."""
        return _scaled(self.content, size / max(self.content.size))

    def style_at(self, content: Tensor, scale: float) -> Tensor:
        """The style picture with scale^2 times as many pixels as `content`, aspect kept."""
        return _scaled(self.style, scale * (content[0, 0].numel() / (self.style.width * self.style.height)) ** 0.5)

    def start_at(self, content: Tensor) -> Tensor:
        """The start picture, else the content, at exactly the size of `content`."""
        if self.start is None:
            return content
        height, width = content.shape[2:]
        return to_tensor(self.start.resize((width, height), Image.Resampling.LANCZOS))


def read_pictures(job: JobParams) -> Pictures:
    """Read the job's files; UserError for one that cannot be read."""
    start = None if job.start in ("content", "noise") else read_image(Path(job.start))
    return Pictures(read_image(Path(job.content)), read_image(Path(job.style)), start)


def _scaled(picture: Image.Image, scale: float) -> Tensor:
    """The picture with both sides times `scale`, at least one pixel each."""
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return to_tensor(picture.resize(size, Image.Resampling.LANCZOS))


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
