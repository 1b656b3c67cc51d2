"""Which files the stages after training draw: the user's photos or sample photos, and a style by name."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nnlab.adain.picture_params import PAIR
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
    comes from the sample photos: for both a landmark and a portrait, for the second one the portrait. UserError if a
    named file is not there.
    """
    own = [_named(folder, name) for name in names] or list_images(folder)[:2]
    stand_ins = [samples / PHOTOS / LANDMARK, samples / PHOTOS / PORTRAIT][len(own) :]
    first, second = [*own, *stand_ins]
    return Photos((first, second), tuple(stand_ins), folder)


def choose_style(name: str, pair: Path, art: Path) -> Path:
    """Return the style picture that `name` names: "pair", a manner of the generated art, or a path.

    Of a manner's pictures the first one is taken. UserError for an unknown name, with the manners that there are.
    """
    if name == PAIR:
        return pair
    paintings = list_images(art)
    of_manner = [path for path in paintings if path.name.startswith(f"{name}_")]
    if of_manner:
        return of_manner[0]
    if Path(name).is_file():
        return Path(name)
    manners = sorted({path.stem.rpartition("_")[0] for path in paintings} - {""})
    raise UserError(f"style {name!r}: neither {PAIR}, a manner of the generated art ({', '.join(manners)}) nor a file")


def _named(folder: Path, name: str) -> Path:
    for path in (folder / name, Path(name)):
        if path.is_file():
            return path
    raise UserError(f"adain.pictures.photos: {name!r} is neither a file in {folder.as_posix()} nor a path of one")
