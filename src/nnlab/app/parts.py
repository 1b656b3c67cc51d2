"""What several tabs have: texts in two languages, one-line errors, dropped pictures, the choice of a painting."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
import yaml
from gradio.utils import get_upload_folder
from PIL import Image, ImageOps

from nnlab.data.gallery import PAINTINGS, caption
from nnlab.data.images import list_images, read_image
from nnlab.errors import UserError

GALLERY = Path("data/raw/pictures")  # as dvc.yaml has it
THUMBNAIL = (240, 240)  # pixels

Say = Callable[..., str]
"""A text of the page by its key, with its places filled."""


def texts(language: str) -> Say:
    """The texts of the page in "zh" or "en"."""
    table = yaml.safe_load(Path(__file__).with_name("texts.yaml").read_text(encoding="utf-8"))
    return lambda key, *values: table[key][language].format(*values)


def script(name: str) -> str:
    """The JavaScript of a part of the page."""
    return Path(__file__).with_name(f"{name}.js").read_text(encoding="utf-8")


@contextmanager
def told() -> Iterator[None]:
    """What a user can cause is one line on the page, as in the command; uploads go by their names."""
    try:
        yield
    except UserError as error:
        folders = re.escape(str(Path(get_upload_folder()))) + r"/\w+/"
        raise gr.Error(re.sub(folders, "", str(error)), print_exception=False) from None


def dropped(label: str, height: int = 240, value: Path | None = None) -> gr.Image:
    """A place to drop a picture; functions get the path of the file as it is, None where there is none.

    Gradio itself would decode it, by other rules than `read_image`.
    """
    place = gr.Image(
        str(value) if value else None, label=label, type="filepath", sources=["upload", "clipboard"], height=height,
        buttons=[],
    )  # fmt: skip
    place.preprocess = lambda payload: payload and payload.path  # type: ignore[method-assign, assignment, return-value]
    return place


def paintings() -> list[Path]:
    """The paintings that were fetched, those that no training has seen first."""
    return sorted(list_images(GALLERY / PAINTINGS)) if (GALLERY / PAINTINGS).is_dir() else []


def painting_choice(say: Say, label: str, chosen: int | None = 0) -> gr.State:
    """A gallery of the fetched paintings and a place for an own one; holds the path of the chosen file, or None."""
    files = paintings()
    first = str(files[chosen]) if files and chosen is not None else None
    state = gr.State(first)

    def select(event: gr.SelectData) -> tuple[str, gr.Gallery, None]:
        file = files[event.index]
        return str(file), gr.Gallery(label=f"{label}: {caption(file)}"), None

    if files:
        thumbnails = [(ImageOps.fit(read_image(file), THUMBNAIL), caption(file)) for file in files]
        title = label if first is None else f"{label}: {caption(Path(first))}"
        gallery = gr.Gallery(
            thumbnails, label=title, columns=3, height=300, selected_index=chosen, allow_preview=False, buttons=[]
        )
    else:
        gr.Markdown(say("no_gallery"))
    own = dropped(say("own_painting"), 140)
    if files:
        gallery.select(select, None, [state, gallery, own], api_visibility="private")
    own.input(lambda path: path or first, own, state, api_visibility="private")
    return state


def enlarged(pixels: Any, side: int = 252) -> Image.Image:
    """A small picture (28, 28) uint8, 0 for the ground, as figures show it: dark on white, its pixels to be seen."""
    return ImageOps.invert(Image.fromarray(pixels)).resize((side, side), Image.Resampling.NEAREST)


def not_trained(say: Say, files: Sequence[Path], command: str) -> bool:
    """Whether a file is missing; a line then says which command makes it."""
    missing = not all(file.exists() for file in files)
    if missing:
        gr.Markdown(say("not_trained", command))
    return missing
