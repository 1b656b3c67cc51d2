"""Fashion-MNIST: how sure two networks are of a test image, or of a picture that somebody drops."""

import random
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from nnlab.app.framing import GARMENT, framed
from nnlab.app.parts import Say, dropped, enlarged, not_trained, told
from nnlab.data.idx import load_split
from nnlab.data.images import read_image
from nnlab.fashion.evaluate import predict
from nnlab.fashion.figures import GREY, RED
from nnlab.fashion.model import CLASSES, Network, build
from nnlab.figures import BLUE, PALETTE
from nnlab.params import NetworkParams, Params
from nnlab.training.loop import load

DATA, MODELS = Path("data/raw/fashion_mnist"), Path("data/models/fashion")  # as dvc.yaml has them
ORANGE = PALETTE[4]  # a prediction of which nobody knows whether it is right
BAR = """<div class="bar"><span>{name}</span><b><i style="width: {percent}%; background: {color}"></i></b>
<em>{percent:.1f} %</em></div>"""


def fashion_tab(page: gr.Blocks, say: Say, params: Params) -> None:
    """An image and the confidences of two networks side by side."""
    files = {"model": MODELS / "model.safetensors"}
    files |= {name: MODELS / f"variants/{name}.safetensors" for name in params.fashion.variants}
    if not_trained(say, [DATA, *files.values()], "dvc repro fashion_train fashion_variants"):
        return
    images, labels = load_split(DATA, "test")

    @lru_cache
    def network(name: str) -> Network:
        return load(files[name], NetworkParams, build)[0]

    with gr.Row():
        with gr.Column(min_width=240):
            seen = gr.Image(interactive=False, height=300, buttons=[], elem_id="seen")
            index = gr.Slider(0, len(images) - 1, 0, step=1, label=say("test_image"))
            another = gr.Button(say("random"))
            own = dropped(say("own_garment"), 180)
        choices = [(say("main_network") if name == "model" else name, name) for name in files]
        charts = []
        for name in ("model", list(files)[-1]):
            with gr.Column(min_width=240):
                choice = gr.Dropdown(choices, value=name, label=say("network"))
                charts.append((choice, gr.HTML()))

    @told()
    def judge(index: int, own: str | None, *names: str) -> list[Any]:
        image = framed(read_image(Path(own), alpha=True), GARMENT) if own else images[index : index + 1]
        truth = None if own else int(labels[index])
        what = say("own") if truth is None else say("truth", CLASSES[truth])
        shown = gr.Image(enlarged(image[0].numpy()), label=what)
        return [shown, *(bars(confidences(network(name), image), truth) for name in names)]

    another.click(lambda: (random.randrange(len(images)), None), None, [index, own], api_visibility="private")
    networks, places = [choice for choice, _ in charts], [seen, *(chart for _, chart in charts)]
    changes = [page.load, index.change, own.change, *(choice.change for choice in networks)]
    inputs = [index, own, *networks]
    gr.on(changes, judge, inputs, places, show_progress="hidden", trigger_mode="always_last", api_name="classify")


def confidences(network: Network, image: Tensor) -> list[float]:
    """Ten, in percent, of an image (1, 28, 28) uint8."""
    return predict(network, image, torch.float32).softmax(1)[0].mul(100).tolist()


def bars(percents: list[float], truth: int | None) -> str:
    """A bar a class: the true one blue, a wrong prediction red, the others grey, as in the figures; else orange."""
    predicted = percents.index(max(percents))
    meant = {predicted: RED if truth is not None else ORANGE, truth: BLUE}
    colors = [meant.get(label, GREY) for label in range(len(CLASSES))]
    rows = zip(CLASSES, percents, colors)
    return "".join(BAR.format(name=escape(name), percent=percent, color=color) for name, percent, color in rows)
