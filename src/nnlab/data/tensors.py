"""Pictures -> tensors (1, 3, H, W) in [0, 1]; the way back is `data.images.to_pil`."""

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.v2 import functional as transforms


def to_tensor(image: Image.Image) -> Tensor:
    """RGB picture -> (1, 3, H, W) float32 in [0, 1]."""
    return transforms.to_dtype(transforms.pil_to_tensor(image), torch.float32, scale=True)[None]
