"""MNIST: the plane of the autoencoder's codes, and the denoiser."""

import base64
import io
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image, ImageOps

from nnlab.app.framing import DIGIT, framed
from nnlab.app.parts import Say, enlarged, not_trained, script, told
from nnlab.autoencoder.evaluate import POINTS, Judged, Plane, decode_plane, judge, psnr_db
from nnlab.autoencoder.figures import latent
from nnlab.autoencoder.model import build
from nnlab.autoencoder.train import add_noise, pixels, rebuild
from nnlab.data.decoding import decode
from nnlab.data.idx import load_split
from nnlab.figures import style
from nnlab.params import AutoencoderParams, DenoiserParams
from nnlab.training.loop import load

MNIST = Path("data/raw/mnist")  # paths as dvc.yaml has them
AUTOENCODER, DENOISER = (Path(f"data/models/{name}/model.safetensors") for name in ("autoencoder", "denoiser"))
PLANE = """<div class="plane"><img src="${value.picture}" alt="" draggable="false">
<i style="left: ${50 + 50 * value.x / value.reach}%; top: ${50 - 50 * value.y / value.reach}%"></i></div>"""
PAD = """<div class="pad"><canvas width="280" height="280"></canvas><button type="button">✕</button></div>"""
QUICK: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "always_last"}


def latent_tab(say: Say) -> None:
    """The plane of codes: the decoded digit follows the pointer, or two sliders in uniform steps."""
    if not_trained(say, [MNIST, AUTOENCODER], "dvc repro autoencoder_train@autoencoder"):
        return
    judged = judge(MNIST, AUTOENCODER, AutoencoderParams)
    plane = decode_plane(judged)
    pictures = {"codes": _scatter(judged, plane), "grid": _address(_sheet(plane))}
    reach = float(plane.reach)

    def decoded(x: float, y: float) -> Image.Image:
        with torch.inference_mode():
            digit = judged.model.decode(torch.tensor([[float(x), float(y)]])).sigmoid()
        return enlarged(digit.mul(255).round().byte().view(28, 28).numpy())

    gr.Markdown(say("plane_note"))
    with gr.Row():
        with gr.Column(min_width=300, scale=2):
            value = {"x": 0.0, "y": 0.0, "reach": reach, "picture": pictures["codes"]}
            place = gr.HTML(value, html_template=PLANE, js_on_load=script("plane"))
            choices = [(say("plane_codes"), "codes"), (say("plane_grid"), "grid")]
            shown = gr.Radio(choices, value="codes", label=say("plane"))
        with gr.Column(min_width=260):
            digit = gr.Image(decoded(0, 0), label=say("decoded"), height=300, buttons=[], elem_id="decoded")
            x, y = (
                gr.Slider(-reach, reach, 0, step=2 * reach / POINTS, label=say("code", say(number)))
                for number in ("first_number", "second_number")
            )

    def follow(at: dict[str, Any]) -> tuple[Image.Image, float, float]:
        return decoded(at["x"], at["y"]), round(at["x"], 2), round(at["y"], 2)

    def move(x: float, y: float, at: dict[str, Any], shown: str) -> tuple[Image.Image, dict[str, Any]]:
        return decoded(x, y), {**at, "x": x, "y": y, "picture": pictures[shown]}

    place.input(follow, place, [digit, x, y], api_name="decode", **QUICK)
    gr.on([x.input, y.input, shown.input], move, [x, y, place, shown], [digit, place], **QUICK)


def _scatter(judged: Judged, plane: Plane) -> str:
    """The figure of the codes without anything around its square."""
    with style():
        figure: Figure = latent(judged.codes, judged.labels, plane.reach)
        axis = figure.axes[0]
        if legend := axis.get_legend():
            legend.remove()
        axis.set_title("")
        axis.set_axis_off()
        figure.set_layout_engine("none")
        axis.set_position((0, 0, 1, 1))
        figure.set_size_inches(7, 7)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        figure.clear()
    return _address(Image.open(buffer).convert("RGB"))


def _sheet(plane: Plane) -> Image.Image:
    side = POINTS * 28
    return ImageOps.invert(Image.fromarray(plane.images.swapaxes(1, 2).reshape(side, side)))


def _address(picture: Image.Image) -> str:
    """A picture as the address of itself."""
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=85)
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
            pad = gr.HTML("", html_template=PAD, js_on_load=script("pad"))
            index = gr.Slider(0, len(images) - 1, 0, step=1, label=say("test_digit"))
        with gr.Column(min_width=300, scale=2):
            noise = gr.Slider(0, 1, settings.noise_factor, step=0.05, label=say("noise"))
            again = gr.Button(say("again"))
            with gr.Row():
                places = [gr.Image(min_width=150, buttons=[]) for _ in range(3)]  # clean, noisy, rebuilt
    digit, turn = gr.State(images[:1].numpy()), gr.State(0)

    def shown(digit: np.ndarray, factor: float, turn: int) -> list[Any]:
        clean = pixels(torch.from_numpy(digit))
        seen = add_noise(clean, settings.model_copy(update={"noise_factor": factor}), "app", turn)
        made = {"noisy": seen.clamp(0, 1), "rebuilt": rebuild(model, seen).sigmoid()}
        labels = [say("clean"), *(f"{say(name)}: PSNR {psnr_db(them, clean):.1f} dB" for name, them in made.items())]
        pictures = [enlarged(them.mul(255).round().byte().view(28, 28).numpy()) for them in (clean, *made.values())]
        return [digit, turn, *(gr.Image(picture, label=label) for picture, label in zip(pictures, labels))]

    @told()
    def drawn(address: str, factor: float, turn: int) -> list[Any]:
        picture = decode(base64.b64decode(address.partition(",")[2]))
        return shown(framed(picture, DIGIT).numpy(), factor, turn)

    outputs = [digit, turn, *places]
    pad.input(drawn, [pad, noise, turn], outputs, api_name="draw", **QUICK)
    index.input(lambda i, *rest: shown(images[i : i + 1].numpy(), *rest), [index, noise, turn], outputs, **QUICK)
    again.click(lambda digit, factor, turn: shown(digit, factor, turn + 1), [digit, noise, turn], outputs, **QUICK)
    gr.on([page.load, noise.input], shown, [digit, noise, turn], outputs, api_name="denoise", **QUICK)
