"""Pictures -> tensors (1, 3, H, W) in [0, 1]; the way back is `data.images.to_pil`."""

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.v2 import functional as transforms

from nnlab.data.images import read_image, resize_shorter
from nnlab.errors import UserError


def to_tensor(image: Image.Image) -> Tensor:
    """RGB picture -> (1, 3, H, W) float32 in [0, 1]."""
    return transforms.to_dtype(transforms.pil_to_tensor(image), torch.float32, scale=True)[None]


def load_image(path: Path, size: int | None = None) -> Tensor:
    """Read a file as (1, 3, H, W) float32 in [0, 1], the shorter side resized to `size` pixels (0, None: as it is)."""
    image = read_image(path)
    try:
        return to_tensor(resize_shorter(image, size))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
