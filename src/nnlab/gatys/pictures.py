"""The pictures of a job at any size, and colour preservation."""

from dataclasses import dataclass

from PIL import Image
from torch import Tensor
from torchvision.transforms.v2.functional import rgb_to_grayscale

from nnlab.data.tensors import to_tensor


@dataclass(frozen=True)
class Pictures:
    """Content and style at their own sizes; the style is to have style_scale^2 times the content's pixels."""

    content: Image.Image
    style: Image.Image
    style_scale: float

    def at(self, size: int) -> tuple[Tensor, Tensor]:
        """Both (1, 3, H, W) in [0, 1], aspects kept: the longer side of the content has `size` pixels."""
        content = _scaled(self.content, size / max(self.content.size))
        pixels = content[0, 0].numel() / (self.style.width * self.style.height)
        return content, _scaled(self.style, self.style_scale * pixels**0.5)


def _scaled(picture: Image.Image, scale: float) -> Tensor:
    """The picture with both sides times `scale`, at least one pixel each."""
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return to_tensor(picture.resize(size, Image.Resampling.LANCZOS))


def only_luminance(content: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
    """Both pictures as grey RGB; the style's luminance gets the mean and deviation of the content's.

    Gatys et al. 2016, "Preserving Color in Neural Artistic Style Transfer" (arXiv:1606.05897), section 3.2, eq. 10.
    """
    content, style = rgb_to_grayscale(content, 3), rgb_to_grayscale(style, 3)
    deviations = content.std(unbiased=False) / style.std(unbiased=False).clamp(min=1e-6)
    return content, (style - style.mean()) * deviations + content.mean()


def with_colors_of(content: Tensor, image: Tensor) -> Tensor:
    """`image`'s luminance with the colours of `content` (section 3.2): R, G and B shift alike; clipped to [0, 1]."""
    return (content + rgb_to_grayscale(image) - rgb_to_grayscale(content)).clamp(0, 1)
