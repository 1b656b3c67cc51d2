"""Section `adain.pictures` of params.yaml: what the stages after training draw."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from nnlab.adain.paint_params import MANNERS
from nnlab.errors import UserError
from nnlab.params import Section

PAIR = "pair"  # the name of the assigned pair's style
USER_PHOTOS = Path("data/photos")  # as dvc.yaml gives it to the stages that draw


def _no_twins(alphas: list[float]) -> list[float]:
    """Each strength is one picture and one file."""
    if len(set(alphas)) < len(alphas):
        raise ValueError("each strength may be named once")
    return alphas


Alpha = Annotated[float, Field(ge=0, le=1)]
Alphas = Annotated[list[Alpha], Field(min_length=1, max_length=9), AfterValidator(_no_twins)]


class PictureParams(Section):
    """Which photos and styles are drawn, and how large."""

    size: int = Field(ge=0, le=16384)
    style_size: int = Field(ge=0, le=16384)
    photos: list[str] = Field(max_length=2)
    photos_style: str = Field(min_length=1)
    alpha_style: str = Field(min_length=1)


def check_pictures(pictures: PictureParams) -> None:
    """UserError for a style that is no manner and no file, and for a photo that is not there: known before training."""
    for key in ("photos_style", "alpha_style"):
        name = getattr(pictures, key)
        if name not in (PAIR, *MANNERS) and not Path(name).is_file():
            raise UserError(
                f"adain.pictures.{key} = {name!r}: neither {PAIR}, a manner of the generated art "
                f"({', '.join(sorted(MANNERS))}) nor a file; change it"
            )
    for name in pictures.photos:
        if not (USER_PHOTOS / name).is_file() and not Path(name).is_file():
            raise UserError(
                f"adain.pictures.photos: {name!r} is neither a file in {USER_PHOTOS.as_posix()} nor a path of one"
            )
