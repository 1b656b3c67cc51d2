"""Style transfer with AdaIN: the tab that draws, and the one that compares the stages of the training."""

import secrets
import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder
from PIL import Image

from nnlab.adain.figures import SAMPLES, iterations
from nnlab.adain.shipped import TRAINED, TRAINED_DECODER, networks
from nnlab.adain.stylize import Box, Content, Moments, Stylizer, open_picture
from nnlab.adain.weights import load_decoder
from nnlab.app.parts import GALLERY, Say, dropped, not_trained, painting_choice, told
from nnlab.data.gallery import find_picture
from nnlab.data.images import flatten, resize_shorter, save_image
from nnlab.errors import UserError
from nnlab.params import HardwareParams
from nnlab.training.device import pick_device, pick_precision

KEPT_BYTES = 640 << 20  # of encoded photos
SECONDS = 120  # a picture may take
SIZES = (256, 512, 1024)  # pixels on the shorter side
SHOWN = (1280, 1280)  # pixels at most that the page shows of a result: the file has them all
# One picture at a time, because it uses every core.
QUEUE: dict[str, Any] = {"concurrency_id": "painting", "concurrency_limit": 1}
LONGEST_NAME = 120  # characters of a result's file


class Painter:
    """The networks, and what they made of the last pictures: features of photos, statistics of paintings.

    The least recently used photos go when all together are larger than `KEPT_BYTES`.
    """

    def __init__(self, hardware: HardwareParams, say: Say) -> None:
        device = pick_device(hardware.device)
        self.say, self.precision = say, pick_precision(hardware.precision, device)
        self.stylizer = Stylizer(*networks(), device, self.precision)
        self.stylizer.progress = self._in_time
        self.begun = 0.0
        self.contents: dict[tuple[str, int], Content] = {}  # the most recently used last
        self._statistics = lru_cache(256)(self._moments)
        self._stage = lru_cache(8)(self._stylizer)

    def draw(
        self, photo: str, paintings: list[str], weights: list[float], alpha: float, stroke: int, size: int, keep: bool
    ) -> tuple[Image.Image, Image.Image]:
        """The photo and the result, both RGB or RGBA; arguments as those of `nnlab stylize`, but `size` at most."""
        self.begun = time.monotonic()
        content = self.content(photo, size)
        styles = [self._statistics(path, stroke, (photo, size) if keep else None) for path in paintings]
        return content.picture, self.stylizer.paint(content, styles, weights, alpha)

    def stages(self, photo: str, painting: str) -> Iterator[tuple[Path, Image.Image]]:
        """Each decoder that the training kept, the earliest first, and what it draws."""
        self.begun = time.monotonic()
        content, style = self.content(photo, SIZES[0]), self._statistics(painting, SIZES[0], None)
        for decoder in decoders():
            yield decoder, self._stage(decoder).paint(content, [style])

    def content(self, photo: str, size: int) -> Content:
        """A photo, encoded, its shorter side of at most `size` pixels; 0 keeps it as it is."""
        if (photo, size) not in self.contents:
            whole = open_picture(Path(photo), 0)
            self.contents[photo, size] = self.stylizer.content(resize_shorter(whole, min(size, *whole.size)))
        self.contents[photo, size] = self.contents.pop((photo, size))
        while len(self.contents) > 1 and sum(map(_bytes, self.contents.values())) > KEPT_BYTES:
            del self.contents[next(iter(self.contents))]
        return self.contents[photo, size]

    def _moments(self, painting: str, stroke: int, coloured: tuple[str, int] | None) -> Moments:
        colours_of = self.content(*coloured) if coloured else None
        return self.stylizer.statistics(open_picture(Path(painting), stroke), colours_of)

    def _stylizer(self, decoder: Path) -> Stylizer:
        return Stylizer(self.stylizer.encoder, load_decoder(decoder), self.stylizer.encoder.mean.device, self.precision)

    def _in_time(self, boxes: list[Box]) -> Iterable[Box]:
        for box in boxes:
            if time.monotonic() - self.begun > SECONDS:
                raise UserError(self.say("too_long", SECONDS))
            yield box


def decoders() -> list[Path]:
    """What the training kept of the decoder, the earliest first."""
    return sorted(TRAINED.glob("decoder_*.safetensors"), key=lambda file: int(file.stem.rpartition("_")[2]))


def _bytes(content: Content) -> int:
    return 2 * content.pixels.rgb.nbytes + (0 if content.features is None else content.features.nbytes)


def style_tab(page: gr.Blocks, say: Say, painter: Painter) -> tuple[gr.Image, gr.State]:
    """The tab that draws; returns where its photo and its painting are."""
    samples = find_picture(GALLERY, SAMPLES[0]) if GALLERY.is_dir() else None
    with gr.Row():
        with gr.Column(min_width=300):
            photo = dropped(say("photo"), 240, samples)
            painting = painting_choice(say, say("painting"))
            with gr.Accordion(say("second"), open=False):
                second = painting_choice(say, say("second_painting"), None)
                share = gr.Slider(0, 1, 0.5, step=0.05, label=say("share"))
        with gr.Column(min_width=300, scale=2):
            both = gr.ImageSlider(label=say("compare"), elem_id="drawn", interactive=False, buttons=["fullscreen"])
            alpha = gr.Slider(0, 1, 1, step=0.05, label=say("alpha"))
            stroke = gr.Slider(128, 1024, 512, step=64, label=say("stroke"))
            sizes = [*((str(side), side) for side in SIZES), (say("original"), 0)]
            size = gr.Radio(sizes, value=SIZES[1], label=say("size"))
            keep = gr.Checkbox(label=say("keep"))
            file = gr.DownloadButton(say("download"), variant="primary", interactive=False)
            if not TRAINED_DECODER.is_file():
                gr.Markdown(say("shipped"))

    @told()
    def draw(
        photo: str | None, first: str | None, second: str | None, share: float, alpha: float, stroke: int, size: int,
        keep: bool,
    ) -> tuple[Any, Any]:  # fmt: skip
        if not photo or not (first or second):
            return None, gr.DownloadButton(interactive=False)
        paintings = [path for path in (first, second) if path]
        weights = [1 - share, share] if len(paintings) == 2 else [1.0]
        before, after = painter.draw(photo, paintings, weights, alpha, stroke, size, keep)
        path = _saved(after, "_".join(Path(name).stem for name in (photo, *paintings)))
        return [_shown(before), _shown(after)], gr.DownloadButton(value=path, interactive=True)

    inputs = [photo, painting, second, share, alpha, stroke, size, keep]
    changes = [photo.input, *(place.change for place in (painting, second, size, keep))]
    changes += [slider.release for slider in (share, alpha, stroke)]
    gr.on([page.load, *changes], draw, inputs, [both, file], trigger_mode="always_last", api_name="stylize", **QUEUE)
    return photo, painting


def stages_tab(say: Say, painter: Painter, tab: gr.Tab, photo: gr.Image, painting: gr.State) -> None:
    """The decoder as it was during its training, on the pair of the first tab."""
    if not_trained(say, [TRAINED_DECODER], "dvc repro adain_train"):
        return
    gr.Markdown(say("stages_note"))
    with gr.Row():
        places = [gr.Image(label=_label(say, decoder), min_width=260, buttons=[]) for decoder in decoders()]

    @told()
    def compare(photo: str | None, painting: str | None) -> list[Image.Image | None]:
        if not photo or not painting:
            return [None] * len(places)
        return [_shown(picture) for _, picture in painter.stages(photo, painting)]

    tab.select(compare, [photo, painting], places, api_name="stages", **QUEUE)


def _label(say: Say, decoder: Path) -> str:
    done = iterations(decoder)
    return say("stage", decoder.stem.rpartition("_")[2]) + (f" ({say('iterations', done)})" if done else "")


def _shown(picture: Image.Image) -> Image.Image:
    """As large as a page needs it, over white."""
    picture = flatten(picture)
    picture.thumbnail(SHOWN)
    return picture


def _saved(picture: Image.Image, name: str) -> Path:
    """A file among the page's temporary ones, which Gradio serves and deletes; its format keeps the transparency."""
    ending = "png" if picture.mode == "RGBA" else "jpg"
    path = Path(get_upload_folder()) / secrets.token_hex(16) / f"{name[:LONGEST_NAME]}.{ending}"
    save_image(picture, path)
    return path
