"""What the figures after the training show: a user's photos or the sample ones, a style by name."""

from collections.abc import Sequence
from pathlib import Path

from nnlab.adain.model import MIN_SIDE
from nnlab.adain.stylize import open_picture, open_style
from nnlab.data.gallery import HELD_OUT_PAINTINGS
from nnlab.data.images import list_images
from nnlab.errors import UserError
from nnlab.params import PictureParams

PAIR = "pair"  # the name of the assigned pair's style
USER_PHOTOS = Path("data/photos")  # as dvc.yaml gives it to the stages that draw


def find_photos(folder: Path, names: Sequence[str]) -> list[Path]:
    """Two photos at most: those that `names` names (files in `folder`, or paths), then the first others in `folder`.

    UserError if a named one is not there.
    """
    found = []
    for name in names:
        files = [path for path in (folder / name, Path(name)) if path.is_file()]
        if not files:
            raise UserError(f"adain.pictures.photos: {name!r} is neither a file in {folder} nor a path of one")
        found.append(files[0])
    others = list_images(folder, tell=True) if len(found) < 2 and folder.is_dir() else []
    return [*found, *(path for path in others if not any(map(path.samefile, found)))][:2]


def find_style(key: str, name: str) -> Path | None:
    """The file that `adain.pictures.<key>` names; None for `PAIR` and the paintings, UserError for others."""
    if name in (PAIR, *HELD_OUT_PAINTINGS):
        return None
    if Path(name).is_file():
        return Path(name)
    raise UserError(
        f"adain.pictures.{key} = {name!r}: neither {PAIR}, a held-out painting "
        f"({', '.join(sorted(HELD_OUT_PAINTINGS))}) nor a file; change it"
    )


def check_pictures(pictures: PictureParams, folder: Path = USER_PHOTOS) -> None:
    """UserError for what the stages after the training cannot draw, and DVC cannot hash: told before it, not after."""
    for path in folder.rglob("*"):
        if path.name.encode(errors="ignore").decode() != path.name or not path.exists():
            raise UserError(f"{path}: DVC can read no name that is not UTF-8, and no dead link; rename or remove it")
    for key in ("size", "style_size"):
        if 0 < (found := getattr(pictures, key)) < MIN_SIDE:
            raise UserError(f"adain.pictures.{key} = {found}: must be 0 (the picture's own), or at least {MIN_SIDE}")
    styles = [find_style(key, getattr(pictures, key)) for key in ("photos_style", "alpha_style")]
    for file in filter(None, styles):
        open_style(file, pictures.style_size)
    for file in find_photos(folder, pictures.photos):
        open_picture(file, pictures.size)
