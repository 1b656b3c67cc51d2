"""MNIST: the plane of the autoencoder's codes, and the denoiser."""

import base64
import io
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from nnlab.app.parts import DIGIT, QUICK, Say, enlarged, framed, not_trained, slider, told
from nnlab.autoencoder.evaluate import POINTS, decode_plane, judge
from nnlab.autoencoder.figures import grid, latent
from nnlab.autoencoder.model import build
from nnlab.autoencoder.train import add_noise, pixels
from nnlab.data.decoding import decode
from nnlab.data.idx import load_split
from nnlab.figures import style
from nnlab.measures import psnr_db
from nnlab.params import AutoencoderParams, DenoiserParams
from nnlab.training.loop import in_chunks, load

MNIST = Path("data/raw/mnist")  # paths as dvc.yaml has them
AUTOENCODER, DENOISER = (Path(f"data/models/{name}/model.safetensors") for name in ("autoencoder", "denoiser"))
PLANE = """<div class="plane"><img src="${pictures[value.shown]}" alt="" draggable="false">
<i style="left: ${50 + 50 * value.x / reach}%; top: ${50 - 50 * value.y / reach}%"></i></div>"""
PAD = """<div class="pad"><canvas width="280" height="280"></canvas><button type="button">✕</button></div>"""
SCRIPTS = {name: Path(__file__).with_name(f"{name}.js").read_text(encoding="utf-8") for name in ("plane", "pad")}


def latent_tab(say: Say) -> None:
    """The plane of codes: the decoded digit follows the pointer, or two sliders in uniform steps."""
    if not_trained(say, [MNIST, AUTOENCODER], "dvc repro autoencoder_train@autoencoder"):
        return
    judged = judge(MNIST, AUTOENCODER, AutoencoderParams)
    plane = decode_plane(judged)
    reach = float(plane.reach)
    with style():
        pictures = {"codes": _picture(latent(judged.codes, judged.labels, reach)), "grid": _picture(grid(plane))}

    def decoded(x: float, y: float) -> Image.Image:
        with torch.inference_mode():
            return enlarged(judged.model.decode(torch.tensor([[float(x), float(y)]])).sigmoid())

    gr.Markdown(say("plane_note"))
    with gr.Row():
        with gr.Column(min_width=300, scale=2):
            value = {"x": 0.0, "y": 0.0, "shown": "codes"}
            place = gr.HTML(value, html_template=PLANE, js_on_load=SCRIPTS["plane"], pictures=pictures, reach=reach)
            choices = [(say(f"plane_{name}"), name) for name in pictures]
            shown = gr.Radio(choices, value="codes", label=say("plane"))
        with gr.Column(min_width=260):
            digit = gr.Image(decoded(0, 0), label=say("decoded"), height=300, buttons=[], elem_id="decoded")
            x, y = (slider(-reach, reach, 0, step=reach / POINTS, label=say(name)) for name in ("first", "last"))

    def follow(at: dict[str, Any]) -> tuple[Image.Image, float, float]:
        return decoded(at["x"], at["y"]), round(at["x"], 2), round(at["y"], 2)

    def move(x: float, y: float, shown: str) -> tuple[Image.Image, dict[str, Any]]:
        return decoded(x, y), {"x": x, "y": y, "shown": shown}

    place.input(follow, place, [digit, x, y], api_name="decode", **QUICK)
    gr.on([x.input, y.input, x.release, y.release, shown.input], move, [x, y, shown], [digit, place], **QUICK)


def _picture(figure: Figure) -> str:
    """The square of the codes in a figure, without anything around, as an address of itself."""
    buffer = io.BytesIO()
    figure.set(layout_engine="none", size_inches=(7, 7))
    figure.axes[0].set(position=(0, 0, 1, 1))
    figure.axes[0].set_axis_off()
    figure.savefig(buffer, format="webp")
    plt.close(figure)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def denoiser_tab(page: gr.Blocks, say: Say) -> None:
    """A digit of the test set or one drawn by hand: noisy, and rebuilt."""
    if not_trained(say, [MNIST, DENOISER], "dvc repro autoencoder_train@denoiser"):
        return
    model, settings, _ = load(DENOISER, DenoiserParams, build)
    images, _ = load_split(MNIST, "test")

    with gr.Row():
        with gr.Column(min_width=300):
            gr.Markdown(say("draw"))
            pad = gr.HTML("", html_template=PAD, js_on_load=SCRIPTS["pad"])
            index = slider(0, len(images) - 1, 0, step=1, precision=0, label=say("test_digit"))
            taken = gr.Image(label=say("clean"), height=150, buttons=[])
        with gr.Column(min_width=300, scale=2):
            noise = slider(0, max(1.0, settings.noise_factor), settings.noise_factor, step=0.05, label=say("noise"))
            with gr.Row():
                beside = [gr.Image(min_width=120, buttons=[], elem_classes="judged") for _ in range(2)]

    def shown(clean: Tensor, factor: float) -> tuple[Image.Image, gr.Image, gr.Image]:
        seen = add_noise(clean, settings.model_copy(update={"noise_factor": factor}), "app")

        def judged(name: str, them: Tensor) -> gr.Image:
            return gr.Image(enlarged(them), label=f"{say(name)}: PSNR {psnr_db(them, clean):.1f} dB")

        return enlarged(clean), judged("noisy", seen.clamp(0, 1)), judged("rebuilt", in_chunks(model, seen).sigmoid())

    @told()
    def drawn(address: str, index: int) -> Tensor:
        if not address:  # nothing is drawn any more
            return pixels(images[index : index + 1])
        return pixels(framed(decode(base64.b64decode(address.partition(",")[2]))[0], DIGIT))

    digit = gr.State(pixels(images[:1]))
    pad.input(drawn, [pad, index], digit, api_name="draw", **QUICK)
    index.change(partial(drawn, ""), index, digit, api_visibility="private", **QUICK)
    gr.on([page.load, digit.change, noise.change], shown, [digit, noise], [taken, *beside], api_name="denoise", **QUICK)
