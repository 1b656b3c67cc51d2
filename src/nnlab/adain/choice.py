"""Which files the stages after training draw: the user's photos or sample photos, and a style by name."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nnlab.adain.picture_params import PAIR, find_photos, style_file
from nnlab.errors import UserError
from nnlab.images import list_images
from nnlab.samples import LANDMARK, PHOTOS, PORTRAIT


class Photos(NamedTuple):
    """Two photo files, and which of them are the project's sample photos."""

    files: tuple[Path, Path]
    samples: tuple[Path, ...]
    folder: Path

    def note(self, shown: int = 2) -> str:
        """A line for a figure of the first `shown` photos that says which are sample photos; "" if none is."""
        names = [path.name for path in self.files[:shown] if path in self.samples]
        if not names:
            return ""
        what = "Sample photos" if len(names) > 1 else "Sample photo"
        return f"{what} ({', '.join(names)}): put two photos of your own into {self.folder.as_posix()}"


def choose_photos(folder: Path, names: Sequence[str], samples: Path) -> Photos:
    """Return the two photos to draw.

    Those that `names` names (files in `folder`, or paths), else the first two in `folder` by name. What is missing
    comes from the sample photos: for both a landmark and a portrait, for the second one the portrait. UserError as of
    `find_photos`.
    """
    own = find_photos(folder, names)
    stand_ins = [samples / PHOTOS / LANDMARK, samples / PHOTOS / PORTRAIT][len(own) :]
    first, second = [*own, *stand_ins]
    return Photos((first, second), tuple(stand_ins), folder)


def choose_style(key: str, name: str, pair: Path, art: Path) -> Path:
    """Return the style picture that `adain.pictures.<key>` names: "pair", a manner of the generated art, or a path.

    Of a manner's pictures the first one is taken. UserError for an unknown name, with the manners that there are.
    """
    if file := style_file(key, name):
        return file
    if name == PAIR:
        return pair
    for path in list_images(art):
        if path.name.startswith(f"{name}_"):
            return path
    raise UserError(f"{art}: no picture {name}_*.jpg; run `dvc repro -f adain_paint`")
