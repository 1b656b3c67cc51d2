"""What share of the machine's matrix rate each hot loop reaches.

    python benchmarks/hot_loops.py [--rounds 5]

Work: the multiplications and additions of the loop's matrix products and convolutions, forward and backward, counted
by PyTorch while it runs. Rate: that of a product of two matrices of 2,048 x 2,048 in the same precision. The loops and
the product take turns. Winograd's convolutions count with what they really multiply, a quarter and the transforms: with
them AdaIN's share is lower than without, and so is its time.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from measure import arguments, here, in_turns, row, show
from our_adain import random_batch, settings, training
from run import ROOT
from torch.utils.flop_counter import FlopCounterMode

from nnlab.adain.model import initial_decoder
from nnlab.adain.shipped import DECODER
from nnlab.adain.stylize import Stylizer
from nnlab.adain.weights import load_decoder, load_encoder
from nnlab.autoencoder.train import prepare as prepare_autoencoder
from nnlab.data.idx import load_split
from nnlab.data.images import read_image, resize_shorter
from nnlab.fashion.train import prepare as prepare_fashion
from nnlab.gatys.losses import Objective, network
from nnlab.gatys.pictures import Pictures
from nnlab.gatys.transfer import begin, paint
from nnlab.params import load_params
from nnlab.training.loop import fit
from nnlab.vgg.weights import read_weights

SIDE = 2048  # of the matrices
Job = Callable[[], object]
Loops = dict[str, tuple[Job, Job]]  # what is timed, and what stands for it where operations are counted


def main() -> None:
    """Count, measure in turns, print."""
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, default=ROOT / "data", help="of a finished run")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    device, precision = here()
    loops = {**small_networks(options.data, device, precision), **style_transfer(options.data, device, precision)}
    matrix = torch.randn(SIDE, SIDE, device=device).to(precision)
    product = "a large matrix product"
    jobs: dict[str, Job] = {product: lambda: matrix @ matrix, **{what: loop for what, (loop, _) in loops.items()}}
    times = in_turns(jobs, options.rounds)
    rates = [2 * SIDE**3 / taken for taken in times.pop(product)]
    rows = [row(f"{product}, TFLOP/s", [rate / 1e12 for rate in rates], precision=precision)]
    for what, taken in times.items():
        work = operations(loops[what][1])
        shares = [100 * work / one / rate for one, rate in zip(taken, rates)]
        rows.append(row(f"{what}, share of that rate / %", shares, precision=precision))
    show(rows)


def operations(job: Job) -> int:
    """Floating-point operations of a run's matrix products and convolutions."""
    with FlopCounterMode(display=False) as counter:
        job()
    return counter.get_total_flops()


def small_networks(data: Path, device: torch.device, precision: torch.dtype) -> Loops:
    """An epoch of training each, with what stands around it."""
    params = load_params(ROOT / "params.yaml")
    fashion, digits = (load_split(data / "raw" / kind, "train") for kind in ("fashion_mnist", "mnist"))
    trainings: dict[str, tuple[Any, ...]] = {
        "Fashion-MNIST": (prepare_fashion, fashion, params.fashion.main),
        "Fashion-MNIST with convolutions": (prepare_fashion, fashion, params.fashion.variants["cnn"]),
        "autoencoder": (prepare_autoencoder, digits, params.autoencoder),
        "denoiser": (prepare_autoencoder, digits, params.denoiser),
    }
    jobs: dict[str, Job] = {}
    for what, (prepare, split, chosen) in trainings.items():
        few = split[0][:100], split[1][:100]  # what is judged after the epoch
        once = chosen.model_copy(update={"epochs": 1})
        jobs[f"{what}, an epoch"] = partial(fit, prepare, split, few, once, device, precision)
    return {what: (job, job) for what, job in jobs.items()}


def style_transfer(data: Path, device: torch.device, precision: torch.dtype) -> Loops:
    """An iteration of Gatys, a step of AdaIN's training, a stylised picture."""
    pair = [read_image(data / f"raw/pair/{kind}.jpg") for kind in ("content", "style")]
    train, encoder = settings({"max_iter": 100_000}), data / "models/encoder.safetensors"
    batch, crop = train.batch_size, train.crop
    _, move = training(load_encoder(encoder), initial_decoder(1), train, precision)
    crops = random_batch(batch, crop)
    stylizer = Stylizer(load_encoder(encoder), load_decoder(DECODER), device, precision)
    photo = resize_shorter(pair[0], 512)

    def step() -> None:
        move(crops)

    def draw() -> None:
        stylizer.stylize(photo, pair[1:])

    return {
        **gatys(Pictures(*pair, 1.0), data / "raw/vgg19", device, precision),
        f"AdaIN, a step at crop {crop}, batch {batch}": (step, step),
        "AdaIN, a picture of 512 pixels": (draw, draw),
    }


def gatys(pictures: Pictures, weights: Path, device: torch.device, precision: torch.dtype) -> Loops:
    """An iteration of the job "main" at full size; counted without L-BFGS, by `backward`, which the counter knows."""
    job = load_params(ROOT / "params.yaml").gatys.jobs["main"]
    job = job.model_copy(update={"iterations": 100_000, "coarse_iterations": []})
    vgg = network(read_weights(weights), job, precision).to(device)
    iterations = paint(begin(pictures, job, device), pictures, vgg, job)
    content, style = (picture.to(device) for picture in pictures.at(job.size))
    objective, image = Objective(vgg, content, style, job), content.clone().requires_grad_()

    def count() -> None:
        sum(objective(image).values()).backward()

    return {f"Gatys at {job.size} pixels, an iteration": (lambda: next(iterations), count)}


if __name__ == "__main__":
    main()
