"""Pictures -> tensors (1, 3, H, W) in [0, 1]; the way back is `data.images.to_pil`."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def to_tensor(image: Image.Image) -> Tensor:
    """RGB picture -> (1, 3, H, W) float32 in [0, 1]."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].to(torch.float32).mul_(1 / 255)
