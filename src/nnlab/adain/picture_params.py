"""Section `adain.pictures` of params.yaml: what the stages after training draw."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from nnlab.adain.paint_params import MANNERS
from nnlab.errors import UserError
from nnlab.params import Section

PAIR = "pair"  # the name of the assigned pair's style
USER_PHOTOS = Path("data/photos")  # as dvc.yaml gives it to the stages that draw
NO_PHOTOS = ("README.md", "*.dvc", "Thumbs.db", "desktop.ini")  # what may lie beside photos


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


def check_pictures(pictures: PictureParams, folder: Path = USER_PHOTOS) -> None:
    """UserError for what the stages after the training cannot draw, and DVC cannot hash: told before it, not after."""
    from nnlab.images import read_image  # here, as below: every stage reads this module, few need Pillow

    styles = [style_file(key, getattr(pictures, key)) for key in ("photos_style", "alpha_style")]
    photos = find_photos(folder, pictures.photos) if pictures.photos or folder.is_dir() else []
    for path in sorted(folder.rglob("*")):
        if path.name.encode(errors="ignore").decode() != path.name:
            raise UserError(f"{path}: DVC cannot read a file whose name is not UTF-8; rename it")
        if not path.is_file() and not path.is_dir():
            raise UserError(f"{path}: neither a file nor a folder (a link that leads nowhere?); remove it")
    for path in filter(None, [*styles, *photos]):
        read_image(path)


def style_file(key: str, name: str) -> Path | None:
    """The file that `adain.pictures.<key>` names; None for `PAIR` and the manners, UserError for any other name."""
    if name in (PAIR, *MANNERS):
        return None
    if Path(name).is_file():
        return Path(name)
    raise UserError(
        f"adain.pictures.{key} = {name!r}: neither {PAIR}, a manner of the generated art "
        f"({', '.join(sorted(MANNERS))}) nor a file; change it"
    )


def find_photos(folder: Path, names: Sequence[str]) -> list[Path]:
    """The photos that `names` names (files in `folder`, or paths); without names the first two in `folder`, if any.

    UserError if a named one is not there, and for a file in `folder` that would be passed over without a word.
    """
    from nnlab.images import SUFFIXES, list_images

    if names:
        return [_named(folder, name) for name in names]
    found = list_images(folder)
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        known = path.suffix.lower() in SUFFIXES or any(path.match(pattern) for pattern in NO_PHOTOS)
        if path.is_file() and not hidden and not known:
            raise UserError(
                f"{path}: no picture that can be read ({', '.join(sorted(SUFFIXES))}); save it as .jpg or .png, or put "
                "it elsewhere"
            )
    return found[:2]


def _named(folder: Path, name: str) -> Path:
    for path in (folder / name, Path(name)):
        if path.is_file():
            return path
    raise UserError(f"adain.pictures.photos: {name!r} is neither a file in {folder.as_posix()} nor a path of one")
