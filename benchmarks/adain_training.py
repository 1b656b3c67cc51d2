"""Time a training step of this project and of naoto0804/pytorch-AdaIN, alternately, on the same pictures and weights.

    python benchmarks/adain_training.py CHECKOUT ENCODER CONTENT STYLE [--crop 64 --batch 4 --rounds 8]

CHECKOUT is a clone of pytorch-AdaIN (its `net.py` is imported, its train.py's loop body is repeated here), ENCODER our
encoder.safetensors or its vgg_normalised.pth, CONTENT and STYLE folders of pictures. Pictures are read beforehand.
Ours runs with a new crop for each pair, as the reference does, and with crops that meet four partners, the default; its
steps are counted over whole blocks, so that their share of the encoding is in. Prints a table: seconds per step (median
over rounds), ratio, share of the floor (operations over the matrix rate).
"""

import argparse
import itertools
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import nn

from nnlab.adain.losses import decoding_losses, encode
from nnlab.adain.model import DECODER_LAYERS, ENCODER_LAYERS, to_images
from nnlab.adain.partners import pairings
from nnlab.adain.processes import Processes
from nnlab.adain.train import Setting, new_state, step_functions
from nnlab.adain.weights import decoder_to_reference, encoder_to_reference, load_encoder
from nnlab.data.images import list_images, load_image
from nnlab.params import AdainTrainParams
from nnlab.training.device import pick_precision

PARTNERS = 4  # as in params.yaml


def main() -> None:
    """Check that the losses agree, then measure."""
    arguments = _arguments()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    batch = [_crops(f, arguments.batch, arguments.crop).to(device) for f in (arguments.content, arguments.style)]
    steps = {"pytorch-AdaIN float32": _reference_step(arguments, batch, device)}
    dtypes = [getattr(torch, arguments.precision)] if arguments.precision else [torch.float32]
    if not arguments.precision and pick_precision("auto", device) is torch.bfloat16:  # elsewhere it takes minutes
        dtypes.append(torch.bfloat16)
    for dtype, partners in itertools.product(dtypes, (1, PARTNERS)):
        name = f"nnlab, partners {partners}, {str(dtype).removeprefix('torch.')}"
        steps[name] = _our_step(arguments, batch, device, dtype, partners)
    _same_losses(arguments, batch, device)
    times: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(arguments.rounds + 1):
        for name, step in steps.items():
            seconds = _time(step, arguments.steps, device)
            if number:  # the first round warms up
                times[name].append(seconds)
    _table(arguments, times, device)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("checkout", "encoder", "content", "style"):
        parser.add_argument(name, type=Path)
    for name, value in (("crop", 64), ("batch", 4), ("rounds", 8), ("steps", PARTNERS**2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), help="alone; default: all that are fast here")
    parser.add_argument("--compile", action="store_true")
    return parser.parse_args()


def _crops(folder: Path, count: int, crop: int) -> torch.Tensor:
    """The middles of the first pictures of a folder, (count, 3, crop, crop) uint8."""
    images = [load_image(path, 2 * crop)[0] for path in list_images(folder)[:count]]
    cut = [i[:, i.shape[1] // 2 - crop // 2 :, i.shape[2] // 2 - crop // 2 :][:, :crop, :crop] for i in images]
    return torch.stack(cut).mul(255).round().byte()


def _params(arguments: argparse.Namespace, partners: int = 1) -> AdainTrainParams:
    return AdainTrainParams(
        content="-", style="-", max_iter=100_000, batch_size=arguments.batch, partners=partners,
        crop=arguments.crop, resize=1024,
        finish={"share": 0, "crop": arguments.crop, "resize": 1024},
        learning_rate=1e-4, schedule="reference", warmup=0, beta2=0.999, average=0.99, content_weight=1.0,
        style_weight=10.0, checkpoint_fractions=[1.0], held_out_pairs=1, log_every=100, seed=1,
    )  # fmt: skip


def _our_step(arguments: argparse.Namespace, batch, device, dtype, partners: int):
    params = _params(arguments, partners)
    setting = Setting(Processes(0, 1, device), dtype, 0, 1000, arguments.compile)
    state = new_state(params, device)
    encode, step = step_functions(load_encoder(arguments.encoder), state, params, setting)
    pairs = pairings((encode(*batch) for _ in itertools.count()), partners, 0, params.max_iter)
    return lambda: step(*next(pairs))


def _reference_network(arguments: argparse.Namespace, device) -> nn.Module:
    sys.path.insert(0, str(arguments.checkout))
    import net  # pytorch-AdaIN's

    vgg = nn.Sequential(*list(net.vgg.children())[:31])
    vgg.load_state_dict(encoder_to_reference(load_encoder(arguments.encoder)), strict=False)  # up to relu4_1
    network = net.Net(vgg, net.decoder)
    network.train()
    return network.to(device)


def _reference_step(arguments: argparse.Namespace, batch, device):
    """The body of pytorch-AdaIN's training loop, its writer given a folder that is thrown away."""
    from torch.utils.tensorboard import SummaryWriter

    network = _reference_network(arguments, device)
    writer = SummaryWriter(TemporaryDirectory().name)
    content, style = (crops.float() / 255 for crops in batch)
    optimizer = torch.optim.Adam(network.decoder.parameters(), lr=1e-4)
    count = 0

    def step() -> None:
        nonlocal count
        for group in optimizer.param_groups:
            group["lr"] = 1e-4 / (1.0 + 5e-5 * count)
        loss_c, loss_s = network(content, style)
        loss_c, loss_s = 1.0 * loss_c, 10.0 * loss_s
        loss = loss_c + loss_s
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        count += 1
        writer.add_scalar("loss_content", loss_c.item(), count)
        writer.add_scalar("loss_style", loss_s.item(), count)

    return step


def _same_losses(arguments: argparse.Namespace, batch, device) -> None:
    """Stop unless both compute the same losses from the same weights."""
    state = new_state(_params(arguments), device)
    network = _reference_network(arguments, device)
    network.decoder.load_state_dict(decoder_to_reference(state.decoder))
    with torch.no_grad():
        theirs = torch.stack(network(*(crops.float() / 255 for crops in batch)))
        encoder = load_encoder(arguments.encoder).to(device)
        encoded = encode(encoder, *(to_images(crops, torch.float32) for crops in batch))
        ours = decoding_losses(encoder, state.decoder, *encoded)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    print(f"Same losses from the same weights: {ours.tolist()} and {theirs.tolist()}.\n")


def _time(step, count: int, device) -> float:
    """Seconds per step over ``count`` steps."""
    _wait(device)
    began = time.perf_counter()
    for _ in range(count):
        step()
    _wait(device)
    return (time.perf_counter() - began) / count


def _wait(device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def operations(crop: int, batch: int, partners: int = 1) -> float:
    """Floating-point operations of one step: content, style and result through the encoder, the decoder, gradients.

    Encoder 3 forward and 1 backward to its input, decoder 1 forward and 2 backward: 7 passes of about the same size.
    Two of the encoder's, of content and style, are shared by the steps in which a crop meets its `partners`. As the
    reference computes it: our decoder's layers on enlarged maps take 4/9 of the operations that are counted here.
    """

    def passes(layers) -> float:
        return sum(2 * 9 * a * b * (crop / 2 ** (int(name[5]) - 1)) ** 2 for name, a, b in layers)

    return batch * ((2 + 2 / partners) * passes(ENCODER_LAYERS) + 3 * passes(DECODER_LAYERS))


def matrix_rate(dtype: torch.dtype, device, side: int = 2048) -> float:
    """Measured operations per second of a large matrix product."""
    a = torch.randn(side, side, device=device).to(dtype)
    return 2 * side**3 / min(_time(lambda: a @ a, 5, device) for _ in range(5))


def _table(arguments: argparse.Namespace, times: dict[str, list[float]], device) -> None:
    medians = {name: statistics.median(values) for name, values in times.items()}
    reference = next(iter(medians.values()))
    threads = torch.get_num_threads()
    print(f"Crop {arguments.crop}, batch {arguments.batch}, {threads} threads, torch {torch.__version__}:")
    print("\n| step | seconds | ratio | of the matrix rate |\n|---|---|---|---|")
    for name, seconds in medians.items():
        rate = matrix_rate(getattr(torch, name.rsplit(" ", 1)[1]), device)
        partners = PARTNERS if f"partners {PARTNERS}" in name else 1
        work = operations(arguments.crop, arguments.batch, partners)
        share = f"{work / seconds / rate:.0%} of {rate / 1e12:.2f} TFLOP/s"
        print(f"| {name} | {seconds:.4f} | {reference / seconds:.2f} | {share} |")


if __name__ == "__main__":
    main()
