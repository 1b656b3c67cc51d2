"""Fashion-MNIST: how sure two networks are of a test image, or of a picture that somebody drops."""

import random
from pathlib import Path
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from nnlab.app.parts import GARMENT, QUICK, File, Say, dropped, enlarged, framed, not_trained, slider, told
from nnlab.data.idx import load_split, unit
from nnlab.data.images import read_image
from nnlab.fashion.figures import class_colors
from nnlab.fashion.model import CLASSES, build
from nnlab.fashion.train import predict
from nnlab.params import NetworkParams, Params
from nnlab.training.loop import load

MAIN = "main network"  # with a space, which no variant's name has
DATA, MODELS = Path("data/raw/fashion_mnist"), Path("data/models/fashion")  # as dvc.yaml has them
BAR = """<div class="bar"><span>{}</span><b><i style="width: {percent}%; background: {}"></i></b>
<em>{percent:.1f} %</em></div>"""


def fashion_tab(page: gr.Blocks, say: Say, params: Params) -> None:
    """An image and the confidences of two networks side by side."""
    files = {MAIN: MODELS / "model.safetensors"}
    files |= {name: MODELS / f"variants/{name}.safetensors" for name in params.fashion.variants}
    if not_trained(say, [DATA, *files.values()], "dvc repro fashion_train fashion_variants"):
        return
    images, labels = load_split(DATA, "test")
    networks = {name: load(file, NetworkParams, build)[0] for name, file in files.items()}

    gr.Markdown(say("bars_note"))
    with gr.Row():
        with gr.Column(min_width=240):
            seen = gr.Image(interactive=False, height=300, buttons=[], elem_id="seen")
            index = slider(0, len(images) - 1, 0, step=1, precision=0, label=say("test_image"))
            another = gr.Button(say("random"))
            own = dropped(say, say("own_garment"), 180)
        choices, charts = [(say("main_network") if name == MAIN else name, name) for name in files], {}
        for name in (MAIN, list(files)[-1]):
            with gr.Column(min_width=240):
                choice = gr.Dropdown(choices, value=name, label=say("network"))
                charts[choice] = gr.HTML()

    @told()
    def judge(index: int, own: File, *names: str) -> list[Any]:
        image = framed(read_image(Path(own)), GARMENT) if own else images[index : index + 1]
        truth = None if own else int(labels[index])
        shown = gr.Image(enlarged(unit(image)), label=say("own") if truth is None else say("truth", CLASSES[truth]))
        scores = [predict(networks[name], image, torch.float32) for name in names]
        return [shown, *(bars(confidences, truth) for (confidences,) in torch.stack(scores).softmax(2))]

    index.change(lambda: None, None, own, api_visibility="private", show_progress="hidden")
    another.click(lambda: (random.randrange(len(images)), None), None, [index, own], api_visibility="private")
    changes = [page.load, index.change, own.change, *(choice.change for choice in charts)]
    answer = [seen, *charts.values()]
    judging = gr.on(changes, judge, [index, own, *charts], answer, api_name="classify", **QUICK)
    judging.failure(lambda: (None, "", ""), None, answer, api_visibility="private")


def bars(confidences: Tensor, truth: int | None) -> str:
    """A bar for each of (10,) confidences, in the colours of the figures."""
    rows = zip(CLASSES, class_colors(int(confidences.argmax()), truth), confidences.mul(100).tolist())
    return "".join(BAR.format(name, color, percent=percent) for name, color, percent in rows)
