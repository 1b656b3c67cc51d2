"""What several tabs have: texts in two languages, limits, errors, dropped and small pictures, choice of a painting."""

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import torch
import yaml
from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder
from PIL import Image, ImageOps
from torch import Tensor

from nnlab.adain.figures import SAMPLES
from nnlab.data.gallery import PAINTINGS, caption, find_picture
from nnlab.data.images import flatten, list_images, read_image
from nnlab.errors import UserError, in_one_line

GALLERY = Path("data/raw/pictures")  # as dvc.yaml has it
THUMBNAIL = (240, 240)  # pixels
SIDE = 28  # pixels
DIGIT, GARMENT = 20, 28  # pixels of the longer side within them (LeCun et al. 1998; Xiao et al. 2017)
FAINTEST = 24  # grey levels from the ground: below it there is nothing to be seen
# Of a function that answers while somebody drags or types: to the last state alone, without a sign of waiting.
QUICK: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "always_last"}

Say = Callable[..., str]  # a text of the page by its key, with its places filled
File = str | None  # where a picture lies that somebody dropped or chose


def texts(language: str) -> Say:
    """The texts of the page in "zh" or "en"."""
    table = yaml.safe_load(Path(__file__).with_name("texts.yaml").read_text(encoding="utf-8"))
    return lambda key, *values: table[key][language].format(*values)


@contextmanager
def told() -> Iterator[None]:
    """What a user or the machine can cause is one line on the page, as in the command; files go by their names."""
    try:
        yield
    except Exception as error:
        if not (line := in_one_line(error)):
            raise
        folder = re.escape(get_upload_folder())
        raise gr.Error(re.sub(rf"{folder}/\w+/", "", line), print_exception=not isinstance(error, UserError)) from None


def in_time(say: Say, seconds: int, steps: Iterable[Any]) -> Iterator[Any]:
    """The steps of some work, one by one; UserError where they take longer than so many seconds."""
    end = time.monotonic() + seconds
    for step in steps:
        if time.monotonic() > end:
            raise UserError(say("too_long", seconds))
        yield step


def dropped(say: Say, label: str, height: int, value: Path | None = None) -> gr.Image:
    """A place to drop a picture; functions get the path of the file as it is, None where there is none.

    Gradio itself would decode it, by other rules than `read_image`.
    """
    place = gr.Image(
        str(value) if value else None, label=label, type="filepath", sources=["upload", "clipboard"], height=height,
        buttons=[], placeholder=say("drop"),
    )  # fmt: skip
    place.preprocess = _path  # type: ignore[method-assign, assignment]
    return place


def _path(payload: Any) -> File:
    path: File = payload and payload.path
    if path:
        with suppress(OSError):
            os.utime(path)  # what is in use is not yet to be deleted
    return path


def slider(low: float, high: float, value: float, **looks: Any) -> gr.Slider:
    """A slider; while somebody types, its box may be empty or out of bounds: functions get the nearest number."""
    place = gr.Slider(low, high, value, **looks)
    allowed = place.preprocess
    place.preprocess = lambda typed: allowed(min(max(typed or 0, low), high))  # type: ignore[method-assign, assignment]
    return place


def photo_choice(say: Say) -> gr.Image:
    """A place for a photo; a sample is there where the pictures were fetched."""
    return dropped(say, say("photo"), 240, find_picture(GALLERY, SAMPLES[0]) if GALLERY.is_dir() else None)


def painting_choice(say: Say, label: str, chosen: bool = True) -> gr.Image:
    """A place for a painting, and a gallery of the fetched ones to fill it, those first that no training has seen."""
    files = list_images(GALLERY / PAINTINGS) if (GALLERY / PAINTINGS).is_dir() else []
    first = 0 if chosen and files else None
    if not files:
        gr.Markdown(say("no_gallery"))
    gallery = gr.Gallery(
        [(ImageOps.fit(read_image(file), THUMBNAIL), caption(file)) for file in files], columns=3, height=300,
        allow_preview=False, buttons=[], selected_index=first, label=label, visible=bool(files),
    )  # fmt: skip
    painting = dropped(say, say("own_painting"), 200, None if first is None else files[first])

    def select(event: gr.SelectData) -> str:
        # A copy: Gradio serves no file that is a link out of the project, to DVC's cache on another disk. The same one
        # each time, whose statistics are known then.
        return save_file_to_cache(files[event.index], get_upload_folder())

    gallery.select(select, None, painting, api_visibility="private")
    own = [painting.upload, painting.clear]
    gr.on(own, lambda: gr.Gallery(selected_index=None), None, gallery, api_visibility="private")
    return painting


def framed(picture: Image.Image, box: int) -> Tensor:
    """RGB or RGBA -> (1, 28, 28) uint8, the ground 0, the thing up to 255, its longer side at most `box` pixels.

    The ground is the median grey of the border. A digit (a box below 28) has its centre of mass in the middle, as
    MNIST's have; a garment stands in the middle. UserError for a picture of one colour.
    """
    picture = picture.copy()
    picture.thumbnail((1024, 1024))
    grey = np.asarray(flatten(picture).convert("L"), np.float32)
    ink = np.abs(grey - np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))
    if ink.max() < FAINTEST:
        raise UserError("nothing to be seen: the picture has one colour")
    ink *= 255 / ink.max()
    thing = Image.fromarray(ink.astype(np.uint8)).crop(Image.fromarray(ink > 255 / 5).getbbox())
    thing.thumbnail((box, box), Image.Resampling.LANCZOS)
    small = np.asarray(thing, np.float32)
    middle = (np.array(small.shape) - 1) / 2
    if box < SIDE:
        middle = (np.indices(small.shape) * small).sum((1, 2)) / small.sum()
    top, left = np.clip(np.round((SIDE - 1) / 2 - middle), 0, SIDE - np.array(small.shape)).astype(int)
    whole = Image.new("L", (SIDE, SIDE))
    whole.paste(thing, (int(left), int(top)))
    return torch.from_numpy(np.array(whole))[None]


def enlarged(pixels: Tensor) -> Image.Image:
    """28 x 28 numbers in [0, 1], 0 for the ground, as figures show them: dark on white, and each to be seen."""
    shades = (1 - pixels.view(28, 28)).mul(255).round().byte()
    return Image.fromarray(shades.numpy()).resize((252, 252), Image.Resampling.NEAREST)


def not_trained(say: Say, files: Sequence[Path], command: str) -> bool:
    """Whether a file is missing; a line then says which command makes it."""
    missing = not all(file.exists() for file in files)
    if missing:
        gr.Markdown(say("not_trained", command))
    return missing
