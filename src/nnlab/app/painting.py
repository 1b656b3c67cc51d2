"""Style transfer with AdaIN: the tab that draws, and the one that compares the stages of the training."""

import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr
import torch
from gradio.utils import get_upload_folder
from PIL import Image

from nnlab.adain.command import LONGEST_NAME
from nnlab.adain.model import Decoder
from nnlab.adain.shipped import TRAINED, TRAINED_DECODER, networks
from nnlab.adain.stylize import Content, Moments, Stylizer, open_picture, open_style
from nnlab.adain.weights import checkpoints, iterations, load_decoder
from nnlab.app.parts import File, Say, in_time, not_trained, painting_choice, photo_choice, slider, told
from nnlab.data.images import flatten, resize_shorter, save_image

KEPT = 2  # encoded photos: at most half a gigabyte of features each, beside that of the photo at work
SECONDS = 120  # going over a picture once, to encode or to decode it, may take
SIZES = (256, 512, 1024)  # pixels on the shorter side
STAGE = 256  # the same, of photo and painting, where stages are compared
SHOWN = (1280, 1280)  # pixels at most that the page shows of a result: the file has them all
# One picture at a time, because it uses every core.
QUEUE: dict[str, Any] = {"concurrency_id": "painting", "concurrency_limit": 1}


class Painter:
    """The networks, and what they made of the last photos and paintings, which need not be encoded again."""

    def __init__(self, say: Say, device: torch.device, precision: torch.dtype) -> None:
        self.say, self.place = say, (device, precision)
        self.encoder, decoder = networks()
        self.stylizer = self.with_decoder(decoder)
        self.content = lru_cache(KEPT)(self._content)
        self.statistics = lru_cache(256)(self._statistics)

    def with_decoder(self, decoder: Decoder) -> Stylizer:
        """What draws by a decoder, in limited time."""
        stylizer = Stylizer(self.encoder, decoder, *self.place)
        stylizer.progress = lambda tiles: in_time(self.say, SECONDS, tiles)
        return stylizer

    def _content(self, photo: str, size: int) -> Content:
        """A photo, encoded, its shorter side of at most `size` pixels; 0 keeps it as it is."""
        whole = open_picture(Path(photo), 0)
        return self.stylizer.content(resize_shorter(whole, min(size, *whole.size)))

    def _statistics(self, painting: str, stroke: int, coloured: tuple[str, int] | None = None) -> Moments:
        """Those of a painting, whose shorter side has `stroke` pixels; it takes the colours of that content, if any."""
        shown = open_style(Path(painting), stroke)
        return self.stylizer.statistics(shown, self.content(*coloured) if coloured else None)


def style_tab(page: gr.Blocks, say: Say, painter: Painter) -> tuple[gr.Image, gr.Image]:
    """The tab that draws; returns where its photo and its painting are."""
    with gr.Row():
        with gr.Column(min_width=300):
            photo = photo_choice(say)
            painting = painting_choice(say, say("painting"))
            with gr.Accordion(say("second"), open=False):
                second = painting_choice(say, say("second_painting"), False)
                share = slider(0, 1, 0.5, step=0.05, label=say("share"))
        with gr.Column(min_width=300, scale=2):
            both = gr.ImageSlider(label=say("compare"), elem_id="drawn", interactive=False, buttons=["fullscreen"])
            alpha = slider(0, 1, 1, step=0.05, label=say("alpha"))
            stroke = slider(128, 1024, 512, step=64, label=say("stroke"))
            sizes = [*((str(side), side) for side in SIZES), (say("original"), 0)]
            size = gr.Radio(sizes, value=SIZES[1], label=say("size"))
            keep = gr.Checkbox(label=say("keep"))
            file = gr.DownloadButton(say("download"), variant="primary", interactive=False)
            if not TRAINED_DECODER.is_file():
                gr.Markdown(say("shipped"))

    @told()
    def draw(
        photo: File, first: File, second: File, share: float, alpha: float, stroke: int, size: int, keep: bool
    ) -> tuple[Any, gr.DownloadButton]:
        paintings = [path for path in (first, second) if path]
        if not photo or not paintings:
            return None, gr.DownloadButton(interactive=False)
        content = painter.content(photo, size)
        styles = [painter.statistics(path, stroke, (photo, size) if keep else None) for path in paintings]
        result = painter.stylizer.paint(content, styles, [1 - share, share] if len(styles) == 2 else None, alpha)
        name = "_".join(Path(path).stem for path in (photo, *paintings)).encode()[:LONGEST_NAME].decode(errors="ignore")
        # Among the page's temporary files, which Gradio serves and deletes; in a format that keeps the transparency.
        path = Path(tempfile.mkdtemp(dir=get_upload_folder()), f"{name}.{'png' if result.mode == 'RGBA' else 'jpg'}")
        save_image(result, path)
        return [_shown(content.picture), _shown(result)], gr.DownloadButton(value=path, interactive=True)

    inputs: list[Any] = [photo, painting, second, share, alpha, stroke, size, keep]
    changes = [page.load, photo.input, *(place.change for place in inputs[1:])]  # an upload changes the photo twice
    drawing = gr.on(changes, draw, inputs, [both, file], trigger_mode="always_last", api_name="stylize", **QUEUE)
    drawing.failure(lambda: (None, gr.DownloadButton(interactive=False)), None, [both, file], api_visibility="private")
    return photo, painting


def stages_tab(say: Say, painter: Painter, tab: gr.Tab, photo: gr.Image, painting: gr.Image) -> None:
    """The decoder as it was during its training, on the pair of the first tab."""
    if not_trained(say, [TRAINED_DECODER], "dvc repro adain_train"):
        return
    decoders = checkpoints(TRAINED)
    gr.Markdown(say("stages_note"))
    labels = [say("stage", percent, iterations(decoder)) for percent, decoder in decoders.items()]
    # Read now: a training may replace the files.
    stylizers = [painter.with_decoder(load_decoder(file)) for file in decoders.values()]
    with gr.Row():
        places = [gr.Image(label=label, min_width=260, buttons=[], elem_classes="judged") for label in labels]

    @told()
    def compare(photo: File, painting: File) -> dict[gr.Image, Image.Image | None]:
        if not photo or not painting:
            return dict.fromkeys(places)
        content, style = painter.content(photo, STAGE), painter.statistics(painting, STAGE)
        return {place: _shown(stylizer.paint(content, [style])) for place, stylizer in zip(places, stylizers)}

    comparing = tab.select(compare, [photo, painting], places, trigger_mode="always_last", api_name="stages", **QUEUE)
    comparing.failure(lambda: dict.fromkeys(places), None, places, api_visibility="private")


def _shown(picture: Image.Image) -> Image.Image:
    """A copy as large as a page needs it, over white."""
    picture = flatten(picture).copy()
    picture.thumbnail(SHOWN)
    return picture
