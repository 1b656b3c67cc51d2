"""What `nnlab stylize` does with files: one picture or whole folders, each content in each style."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from nnlab.adain.pictures import open_picture
from nnlab.adain.stylize import Content, Moments, OnTile, Stylizer
from nnlab.data.images import SUFFIXES, check_savable, list_images, save_image
from nnlab.errors import UserError

Result = TypeVar("Result")
LONGEST_NAME = 200  # bytes; Linux allows 255, ending and number included


@dataclass(frozen=True)
class Options:
    """How to draw: see `Stylizer.stylize`. Sizes are pixels of the shorter side, 0 for the original size."""

    weights: Sequence[float] | None = None
    alpha: float = 1.0
    preserve_color: bool = False
    size: int = 0
    style_size: int = 512


@dataclass(frozen=True)
class Job:
    """One picture to make: a content file in a blend of style files."""

    content: Path
    styles: tuple[Path, ...]
    output: Path


def plan(content: Path, styles: Sequence[Path], output: Path, suffix: str = ".jpg") -> list[Job]:
    """List the pictures to make, by content, then by style.

    A folder as content means each image in it; one folder as style means each image in it on its own, several style
    files mean one blend. With a folder anywhere, `output` is a folder for `<content>_<style><suffix>`; otherwise it is
    a folder if it is one already or has no ending, else a file. UserError if there is nothing to do, if `output` does
    not fit, or if a result would replace one of the pictures it is made from.
    """
    for path in styles if len(styles) > 1 else ():
        if path.is_dir():
            raise UserError(f"{path}: a folder cannot be blended; give style files, or this folder alone")
    blends = [(path,) for path in _images(styles[0])] if styles[0].is_dir() else [tuple(styles)]
    contents = _images(content) if content.is_dir() else [content]
    many = content.is_dir() or styles[0].is_dir()
    if output.is_dir() or not output.suffix:
        names = _names([(c, b) for c in contents for b in blends])
        jobs = [Job(c, b, output / f"{name}{suffix}") for (c, b), name in names]
    elif many:
        raise UserError(f"{output}: several pictures are asked for; give a folder (a name without ending)")
    elif output.suffix.lower() not in SUFFIXES:
        raise UserError(f"{output}: no image format has this ending; allowed: {', '.join(sorted(SUFFIXES))}")
    else:
        jobs = [Job(content, blends[0], output)]
    _refuse_overwriting(jobs)
    return jobs


class Drawing:
    """Makes the pictures of a plan one after the other, and remembers in `broken` the files that it cannot use.

    Each content is encoded once for all its styles, and each style once for all contents unless its colours change
    with the content; of a style only 1,024 numbers are kept, so that folders may be as large as they like.
    """

    def __init__(self, stylizer: Stylizer, options: Options, on_tile: OnTile = lambda done, total: None) -> None:
        self.stylizer, self.options, self.on_tile = stylizer, options, on_tile
        self.broken: dict[Path, UserError] = {}
        self._content: tuple[Path, Content] | None = None
        self._styles: dict[Path, Moments] = {}

    def make(self, job: Job) -> bool:
        """Write one picture; False if one of its files is broken. A result that cannot be written is an error."""
        content = self._try(job.content, lambda path: self._encode(path, job.output))
        styles = [self._try(path, lambda path: self._statistics(path, content)) for path in job.styles if content]
        if content is None or None in styles:
            return False
        usable = [style for style in styles if style is not None]
        picture = self.stylizer.paint(content, usable, self.options.weights, self.options.alpha, self.on_tile)
        save_image(picture, job.output)
        return True

    def _try(self, path: Path, read: Callable[[Path], Result]) -> Result | None:
        """What `read` makes of a file; None for one that is or has been found broken."""
        if path in self.broken:
            return None
        try:
            return read(path)
        except UserError as error:
            self.broken[path] = error
            return None

    def _encode(self, path: Path, output: Path) -> Content:
        if self._content is None or self._content[0] != path:
            self._content = None  # frees the last one's features before the next ones are made
            picture = open_picture(path, self.options.size)
            check_savable(output, picture.size)  # the result has the content's size
            self._content = path, self.stylizer.content(picture, self.on_tile)
        return self._content[1]

    def _statistics(self, path: Path, content: Content) -> Moments:
        if self.options.preserve_color:
            return self.stylizer.statistics(open_picture(path, self.options.style_size), content.pixels)
        if path not in self._styles:
            self._styles[path] = self.stylizer.statistics(open_picture(path, self.options.style_size))
        return self._styles[path]


def _images(folder: Path) -> list[Path]:
    paths = list_images(folder)
    if not paths:
        raise UserError(f"{folder}: no images ({', '.join(sorted(SUFFIXES))}) in this folder")
    return paths


def _names(pairs: list[tuple[Path, tuple[Path, ...]]]) -> Iterator[tuple[tuple[Path, tuple[Path, ...]], str]]:
    """A file name without ending for each pair; equal ones, also on disks that ignore case, get -2, -3 and so on."""
    taken: set[str] = set()
    for content, styles in pairs:
        base = "_".join([content.stem, *(style.stem for style in styles)])
        while len(os.fsencode(base)) > LONGEST_NAME:
            base = base[:-1]
        name = base
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{base}-{number}"
        taken.add(name.casefold())
        yield (content, styles), name


def _refuse_overwriting(jobs: list[Job]) -> None:
    inputs = {os.path.realpath(path) for job in jobs for path in (job.content, *job.styles)}  # resolve() fails on loops
    for job in jobs:
        if os.path.realpath(job.output) in inputs:
            raise UserError(f"{job.output}: is one of the input pictures; choose another output")
