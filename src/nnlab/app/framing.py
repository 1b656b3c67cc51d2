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
    """RGB or RGBA -> (1, 28, 28) uint8, the ground 0, the thing up to 255, its longer side `box` pixels.

    The ground is the median grey of the border. A digit (a box below 28) has its centre of mass in the middle, as
    MNIST's have; a garment stands in the middle. UserError for a picture of one colour.
    """
    grey = np.asarray(flatten(picture).convert("L"), np.float32)
    ground = np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]))
    ink = np.abs(grey - ground)
    if ink.max() < FAINTEST:
        raise UserError("nothing to be seen: the picture has one colour")
    rows, columns = (np.flatnonzero((ink > ink.max() / 5).any(axis)) for axis in (1, 0))
    thing = Image.fromarray((ink * (255 / ink.max())).astype(np.uint8))
    thing = thing.crop((int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1))
    scale = box / max(thing.size)
    width, height = (max(1, round(side * scale)) for side in thing.size)
    small = np.asarray(thing.resize((width, height), Image.Resampling.LANCZOS), np.float32)
    middle = (np.array([height, width]) - 1) / 2
    if box < SIDE:
        middle = (np.indices(small.shape) * small).sum((1, 2)) / small.sum()
    top, left = np.clip(np.round((SIDE - 1) / 2 - middle), 0, SIDE - np.array(small.shape)).astype(int)
    whole = np.zeros((1, SIDE, SIDE), np.uint8)
    whole[0, top : top + height, left : left + width] = small
    return torch.from_numpy(whole)
