"""A drawn or photographed thing -> a small grey picture like those of MNIST and Fashion-MNIST."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from nnlab.data.images import flatten
from nnlab.errors import UserError

SIDE = 28  # pixels
DIGIT, GARMENT = 20, 28  # pixels of the longer side within them (LeCun et al. 1998; Xiao et al. 2017)
FAINTEST = 24  # grey levels from the ground: below it there is nothing to be seen


def framed(picture: Image.Image, box: int) -> Tensor:
    """RGB or RGBA -> (1, 28, 28) uint8, the ground 0, the thing up to 255, its longer side at most `box` pixels.

    The ground is the median grey of the border. A digit (a box below 28) has its centre of mass in the middle, as
    MNIST's have; a garment stands in the middle. UserError for a picture of one colour.
    """
    grey = np.asarray(flatten(picture).convert("L"), np.float32)
    ink = np.abs(grey - np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))
    if ink.max() < FAINTEST:
        raise UserError("nothing to be seen: the picture has one colour")
    ink *= 255 / ink.max()
    thing = Image.fromarray(ink.astype(np.uint8)).crop(Image.fromarray(ink > 255 / 5).getbbox())
    thing.thumbnail((box, box), Image.Resampling.LANCZOS)
    small = np.asarray(thing, np.float32)
    middle = (np.array(small.shape) - 1) / 2
    if box < SIDE:
        middle = (np.indices(small.shape) * small).sum((1, 2)) / small.sum()
    top, left = np.clip(np.round((SIDE - 1) / 2 - middle), 0, SIDE - np.array(small.shape)).astype(int)
    whole = Image.new("L", (SIDE, SIDE))
    whole.paste(thing, (int(left), int(top)))
    return torch.from_numpy(np.array(whole))[None]
