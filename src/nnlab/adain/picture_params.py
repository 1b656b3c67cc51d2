"""Section `adain.pictures` of params.yaml: what the stages after training draw."""

from typing import Annotated

from pydantic import Field

from nnlab.params import Section

Alpha = Annotated[float, Field(ge=0, le=1)]
Alphas = Annotated[list[Alpha], Field(min_length=1, max_length=9)]


class PictureParams(Section):
    """Which photos and styles are drawn, and how large."""

    size: int = Field(ge=0, le=16384)
    style_size: int = Field(ge=0, le=16384)
    photos: list[str] = Field(max_length=2)
    photos_style: str = Field(min_length=1)
    alpha_style: str = Field(min_length=1)
