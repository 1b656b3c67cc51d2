"""The files side of `nnlab stylize` and `nnlab export` (see nnlab.cli): what to make, its names, the loop over it."""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from itertools import count, product
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from tqdm import tqdm

from nnlab.adain.onnx import write_onnx
from nnlab.adain.shipped import networks
from nnlab.adain.stylize import Content, Moments, Stylizer, open_picture, open_style, shares
from nnlab.adain.weights import write_reference_files
from nnlab.data.images import SUFFIXES, check_savable, flatten, list_images, save_image
from nnlab.errors import UserError
from nnlab.training.device import pick_device, pick_precision

LONGEST_NAME = 200  # bytes; Linux allows 255, ending and number included
# Endings of formats that hold transparency. A GIF has no degrees of it: results are over white there.
TRANSPARENT = {".png", ".webp", ".tif", ".tiff", ".avif", ".heic", ".heif"}


class Job(NamedTuple):
    """One picture to make: a content file in a blend of style files."""

    content: Path
    styles: tuple[Path, ...]
    output: Path


def stylize(options: argparse.Namespace) -> None:
    """Run `nnlab stylize`; UserError for what the user can mend."""
    jobs = plan(options.content, options.style, options.output, f".{options.format}")
    shares(len(jobs[0].styles), options.style_weights, options.alpha)  # what is wrong there is told before the work
    device = pick_device(options.device)
    stylizer = Stylizer(*networks(options.encoder, options.decoder), device, pick_precision(options.precision, device))
    stylizer.progress = partial(tqdm, desc="stylize", unit="tile", disable=None, delay=2, leave=False)
    failures = draw(stylizer, jobs, options)
    if len(jobs) == 1 and failures:
        raise failures[0]
    if failures:
        print("left out:", *dict.fromkeys(map(str, failures)), sep="\n  ", file=sys.stderr)
    if len(failures) == len(jobs):
        raise UserError("no picture was made: every one needs a file that cannot be used")
    made = f"{len(jobs) - len(failures)} of {len(jobs)} pictures in {jobs[0].output.parent}"
    print(made if len(jobs) > 1 else jobs[0].output)


def export(options: argparse.Namespace) -> None:
    """Run `nnlab export`, in pytorch-AdaIN's format (`output`) or as ONNX."""
    write, folder = (write_reference_files, options.output) if options.output else (write_onnx, options.onnx)
    for path in write(*networks(options.encoder, options.decoder), folder):
        print(path)


def plan(content: Path, styles: Sequence[Path], output: Path, suffix: str) -> list[Job]:
    """List the pictures to make, by content, then by style.

    A folder as content means each image in it; one folder as style means each image in it on its own, several style
    files mean one blend. `output` is a folder for `<content>_<style><suffix>` if it is one already or has no ending,
    else a file. UserError if there is nothing to do, if `output` does not fit, or if a result would replace one of the
    pictures it is made from.
    """
    for path in styles if len(styles) > 1 else ():
        if path.is_dir():
            raise UserError(f"{path}: a folder cannot be blended; give style files, or this folder alone")
    blends = [tuple(styles)] if len(styles) > 1 else [(path,) for path in _images(styles[0], output)]
    pairs = list(product(_images(content, output), blends))
    if output.is_dir() or not output.suffix:
        outputs = list(_names(pairs, output, suffix))
    elif len(pairs) > 1:
        raise UserError(f"{output}: several pictures are asked for; give a folder (a name without ending)")
    elif output.suffix.lower() not in SUFFIXES:
        raise UserError(f"{output}: no image format has this ending; allowed: {', '.join(sorted(SUFFIXES))}")
    else:
        outputs = [output]
    inputs = {_identity(path) for shown, blend in pairs for path in (shown, *blend)}
    for path in outputs:
        if path.exists() and _identity(path) in inputs:
            raise UserError(f"{path}: is one of the input pictures; choose another output")
    return [Job(*pair, path) for pair, path in zip(pairs, outputs)]


def draw(stylizer: Stylizer, jobs: Sequence[Job], options: argparse.Namespace) -> list[UserError]:
    """Make the pictures of a plan; return why some were not made, an error for each.

    Each content is encoded once for all its styles, and each style once for all contents unless its colours change
    with the content; of a style only 1,024 numbers are kept, so that folders may be as large as they like.
    """
    failures = list[UserError]()
    kept: dict[Path, Content] = {}  # one, which goes before the next is read: a large photo takes a gigabyte

    def encoded(content: Path) -> Content:
        if content not in kept:
            kept.clear()
            kept[content] = stylizer.content(open_picture(content, options.size))
        return kept[content]

    @lru_cache(10_000)
    def statistics(style: Path, content: Path | None) -> Moments:
        return stylizer.statistics(open_style(style, options.style_size), encoded(content) if content else None)

    for job in tqdm(jobs, desc="stylize", unit="picture", disable=None, delay=2):
        try:
            styles = [statistics(path, job.content if options.preserve_color else None) for path in job.styles]
            check_savable(job.output, encoded(job.content).picture.size)
            painted = stylizer.paint(encoded(job.content), styles, options.style_weights, options.alpha)
            save_image(painted if job.output.suffix.lower() in TRANSPARENT else flatten(painted), job.output)
        except UserError as error:
            failures.append(error)
    return failures


def _names(pairs: Sequence[tuple[Path, tuple[Path, ...]]], folder: Path, suffix: str) -> Iterator[Path]:
    """A file in `folder` for each pair, after the names of its pictures; of their endings only .jpg is left out.

    So pictures of other names have other results in a later run, too. Those that differ in case alone, which some disks
    ignore, get -2, -3 and so on.
    """
    there = {path.name.casefold(): path.name for path in folder.glob("*")}
    used = set[str]()
    for content, styles in pairs:
        base = "_".join(path.name.removesuffix(".jpg") for path in (content, *styles))
        if len(data := os.fsencode(base)) > LONGEST_NAME:
            base = f"{data[:LONGEST_NAME].decode(errors='ignore')}-{crc32(data):08x}"
        numbered = (f"{base}-{number}{suffix}" if number > 1 else base + suffix for number in count(1))
        free = (name for name in numbered if name not in used and there.setdefault(name.casefold(), name) == name)
        used.add(name := next(free))
        yield folder / name


def _images(path: Path, output: Path) -> list[Path]:
    """The file itself, or the images in a folder, but not those in a folder of results within it."""
    if not path.is_dir():
        return [path]
    paths, results = list_images(path, tell=True), output.resolve()
    if path.resolve() in results.parents:
        paths = [image for image in paths if not image.resolve().is_relative_to(results)]
    if not paths:
        raise UserError(f"{path}: no images ({', '.join(sorted(SUFFIXES))}) in this folder")
    return paths


def _identity(path: Path) -> tuple[int, int] | None:
    """What is equal for two names of one file, on a disk that ignores case or through links; None if there is none."""
    return (path.stat().st_dev, path.stat().st_ino) if path.exists() else None
