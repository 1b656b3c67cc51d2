"""The files side of `nnlab stylize` and `nnlab export` (see nnlab.cli): what to make, its names, the loop over it."""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count, groupby
from pathlib import Path

from tqdm import tqdm

from nnlab.adain.colors import over_white
from nnlab.adain.shipped import networks
from nnlab.adain.stylize import Moments, Stylizer, check, open_picture
from nnlab.adain.weights import write_reference_files
from nnlab.data.images import SUFFIXES, check_savable, list_images, save_image
from nnlab.errors import UserError
from nnlab.training.device import pick_device, pick_precision

LONGEST_NAME = 200  # bytes; Linux allows 255, ending and number included
TRANSPARENT = {".png", ".webp", ".tif", ".tiff"}  # endings of formats that hold transparency


@dataclass(frozen=True)
class Job:
    """One picture to make: a content file in a blend of style files."""

    content: Path
    styles: tuple[Path, ...]
    output: Path


def stylize(options: argparse.Namespace) -> None:
    """Run `nnlab stylize`; UserError for what the user can mend."""
    jobs = plan(options.content, options.style, options.output, f".{options.format}")
    check(options.alpha, options.style_weights, len(jobs[0].styles))
    device = pick_device(options.device)
    stylizer = Stylizer(*networks(options.encoder, options.decoder), device, pick_precision(options.precision, device))
    stylizer.progress = partial(tqdm, desc="stylize", unit="tile", disable=None, delay=2, leave=False)
    try:
        made, broken = draw(stylizer, jobs, options)
    except (MemoryError, RuntimeError) as error:
        reason = (str(error) or "MemoryError").splitlines()[0]
        if isinstance(error, RuntimeError) and "memory" not in reason:
            raise
        raise UserError(f"not enough memory ({reason}): try a smaller --size, or --device cpu") from None
    if len(jobs) == 1:
        for failure in broken.values():
            raise failure
        print(jobs[0].output)
        return
    if broken:
        print(f"{len(broken)} broken file{'s' if len(broken) > 1 else ''} left out:", file=sys.stderr)
        for failure in broken.values():
            print(f"  {failure}", file=sys.stderr)
    if not made:
        raise UserError("no picture was made: every one needs a file that cannot be used")
    print(f"{made} of {len(jobs)} pictures in {jobs[0].output.parent}")


def export(options: argparse.Namespace) -> None:
    """Run `nnlab export`."""
    for path in write_reference_files(*networks(options.encoder, options.decoder), options.output):
        print(path)


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
    pairs = [(c, blend) for c in (_images(content) if content.is_dir() else [content]) for blend in blends]
    if output.is_dir() or not output.suffix:
        jobs = [Job(*pair, output / f"{name}{suffix}") for pair, name in zip(pairs, _names(pairs))]
    elif content.is_dir() or styles[0].is_dir():
        raise UserError(f"{output}: several pictures are asked for; give a folder (a name without ending)")
    elif output.suffix.lower() not in SUFFIXES:
        raise UserError(f"{output}: no image format has this ending; allowed: {', '.join(sorted(SUFFIXES))}")
    else:
        jobs = [Job(*pairs[0], output)]
    inputs = {_identity(path) for c, blend in pairs for path in (c, *blend)} - {None}
    for job in jobs:
        if _identity(job.output) in inputs:
            raise UserError(f"{job.output}: is one of the input pictures; choose another output")
    return jobs


def draw(stylizer: Stylizer, jobs: Sequence[Job], options: argparse.Namespace) -> tuple[int, dict[Path, UserError]]:
    """Make the pictures of a plan; return how many were made, and the files that cannot be used, with the reasons.

    Each content is encoded once for all its styles, and each style once for all contents unless its colours change
    with the content; of a style only 1,024 numbers are kept, so that folders may be as large as they like.
    """
    made, broken = 0, dict[Path, UserError]()
    styles: dict[Path, Moments] = {}
    bar = tqdm(total=len(jobs), desc="stylize", unit="picture", disable=None, delay=2)
    for path, group in groupby(jobs, key=lambda job: job.content):
        same, content = list(group), None
        with _noting(broken, path):
            picture = open_picture(path, options.size)
            check_savable(same[0].output, picture.size)  # the result has the content's size
            content = stylizer.content(picture)
        if options.preserve_color:
            styles.clear()
        for job in same:
            for style in job.styles:
                if content and style not in styles and style not in broken:
                    with _noting(broken, style):
                        colours = content.pixels if options.preserve_color else None
                        styles[style] = stylizer.statistics(open_picture(style, options.style_size), colours)
            found = [styles[style] for style in job.styles if style in styles]
            if content and len(found) == len(job.styles):
                painted = stylizer.paint(content, found, options.style_weights, options.alpha)
                save_image(painted if job.output.suffix.lower() in TRANSPARENT else over_white(painted), job.output)
                made += 1
            bar.update()
    bar.close()
    return made, broken


@contextmanager
def _noting(broken: dict[Path, UserError], path: Path) -> Iterator[None]:
    """Put a UserError, which says why the file at `path` cannot be used, into `broken`."""
    try:
        yield
    except UserError as error:
        broken[path] = error


def _names(pairs: Sequence[tuple[Path, tuple[Path, ...]]]) -> Iterator[str]:
    """A file name without ending for each pair; equal ones, also on disks that ignore case, get -2, -3 and so on."""
    taken: set[str] = set()
    for content, styles in pairs:
        base = "_".join([content.stem, *(style.stem for style in styles)])
        while len(os.fsencode(base)) > LONGEST_NAME:
            base = base[:-1]
        numbered = (f"{base}-{number}" if number > 1 else base for number in count(1))
        name = next(name for name in numbered if name.casefold() not in taken)
        taken.add(name.casefold())
        yield name


def _images(folder: Path) -> list[Path]:
    paths = list_images(folder)
    if not paths:
        raise UserError(f"{folder}: no images ({', '.join(sorted(SUFFIXES))}) in this folder")
    return paths


def _identity(path: Path) -> tuple[int, int] | None:
    """What is equal for two names of one file, on a disk that ignores case or through links; None if there is none."""
    try:
        return path.stat().st_dev, path.stat().st_ino
    except OSError:
        return None
