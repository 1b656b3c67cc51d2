"""Which files the stages after training draw: the user's photos or sample photos, and a style by name."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nnlab.data.gallery import HELD_OUT_PAINTINGS, caption, find_picture
from nnlab.data.images import SUFFIXES, list_images, read_image
from nnlab.errors import UserError
from nnlab.params import PAIR, PictureParams

SAMPLES = ("france_pontduGard", "erase_red_panda")  # held-out photos of the gallery: a landmark, a portrait
USER_PHOTOS = Path("data/photos")  # as dvc.yaml gives it to the stages that draw
NO_PHOTOS = ("README.md", "*.dvc", "Thumbs.db", "desktop.ini")  # what may lie beside photos


class Photos(NamedTuple):
    """Two photo files, and which of them are the project's sample photos."""

    files: tuple[Path, Path]
    samples: tuple[Path, ...]
    folder: Path

    def note(self, shown: int = 2) -> str:
        """A line for a figure of the first `shown` photos that says which are sample photos; "" if none is."""
        names = [caption(path) for path in self.files[:shown] if path in self.samples]
        if not names:
            return ""
        what = "Sample photos" if len(names) > 1 else "Sample photo"
        return f"{what} ({', '.join(names)}): put two photos of your own into {self.folder.as_posix()}"


def choose_photos(folder: Path, names: Sequence[str], gallery: Path) -> Photos:
    """Return the two photos to draw.

    Those that `names` names (files in `folder`, or paths), else the first two in `folder` by name. What is missing
    comes from `SAMPLES`: for both a landmark and a portrait, for the second one the portrait. UserError as of
    `find_photos`.
    """
    own = find_photos(folder, names)
    stand_ins = [find_picture(gallery, name) for name in SAMPLES[len(own) :]]
    first, second = [*own, *stand_ins]
    return Photos((first, second), tuple(stand_ins), folder)


def choose_style(key: str, name: str, pair: Path, gallery: Path) -> Path:
    """Return the style picture that `adain.pictures.<key>` names: "pair", one of `HELD_OUT_PAINTINGS`, or a path.

    UserError for an unknown name, with the paintings that there are.
    """
    if file := style_file(key, name):
        return file
    return pair if name == PAIR else find_picture(gallery, name)


def style_note(painting: Path, pair: Path) -> str:
    """A line for a figure that says what its style is; "" for the pair's, of which its own note tells."""
    return "" if painting == pair else f"Style: {caption(painting)}"


def check_pictures(pictures: PictureParams, folder: Path = USER_PHOTOS) -> None:
    """UserError for what the stages after the training cannot draw, and DVC cannot hash: told before it, not after."""
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
    """The file that `adain.pictures.<key>` names; None for `PAIR` and the paintings, UserError for others."""
    if name in (PAIR, *HELD_OUT_PAINTINGS):
        return None
    if Path(name).is_file():
        return Path(name)
    raise UserError(
        f"adain.pictures.{key} = {name!r}: neither {PAIR}, a held-out painting "
        f"({', '.join(sorted(HELD_OUT_PAINTINGS))}) nor a file; change it"
    )


def find_photos(folder: Path, names: Sequence[str]) -> list[Path]:
    """The photos that `names` names (files in `folder`, or paths); without names the first two in `folder`, if any.

    UserError if a named one is not there, and for a file in `folder` that would be passed over without a word.
    """
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
