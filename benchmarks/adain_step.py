"""An AdaIN training step beside pytorch-AdaIN's, and what Muon costs: two tables.

    python benchmarks/adain_step.py [--crop 96 --batch 1]

Both sides get the same crops of held-out pictures and start from the same weights; that they then compute the same
losses is checked first. The steps take turns. "Of the matrix rate": the operations of pytorch-AdaIN's step, over what a
large matrix product of that precision reaches here in that time. Our step is given as the reference computes it (its
losses, Adam) and by params.yaml (structure loss, Muon), on a painting and on the photo itself (identity step).

Muon's cost does not depend on the crops, so it stands apart: our Muon, torch.optim.Muon and Adam move the decoder's
matrices, in this process and in one that is told to do without AVX-512 and AMX, as most laptops must.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from measure import in_turns, matrix_rate, name, setting, table
from pytorch_adain import RECIPE, Plain, settings, step

from nnlab.adain.data import Batch, held_out_pairs
from nnlab.adain.model import DECODER_LAYERS, ENCODER_LAYERS, Encoder, initial_decoder
from nnlab.adain.muon import TURNS, Muon
from nnlab.adain.train import batch_losses, new_state, step_function
from nnlab.adain.weights import load_encoder
from nnlab.params import AdainEvaluateParams
from nnlab.training.device import pick_device, pick_precision
from nnlab.training.processes import Processes

LAPTOP = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}
SEED, STEPS = 1, 2 * TURNS  # matrices take turns in Muon: whole turns are timed


def main() -> None:
    """Check that the losses agree, then measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", type=Path, default=Path("data/models/adain/encoder.safetensors"))
    parser.add_argument("--pictures", type=Path, default=Path("data/raw/pictures"))
    for key, value in (("crop", 96), ("batch", 1), ("rounds", 7)):
        parser.add_argument(f"--{key}", type=int, default=value)
    parser.add_argument("--muon", action="store_true", help="measure Muon alone, in this process")
    options = parser.parse_args()
    if options.muon:
        print(json.dumps(muon_seconds(options.rounds)))
        return
    device = pick_device("auto")
    dtypes = list(dict.fromkeys([torch.float32, pick_precision("auto", device)]))
    print(f"{setting(*dtypes)}.\n", flush=True)
    steps_table(options, device, dtypes)
    muon_table(options.rounds, device)


def steps_table(options: argparse.Namespace, device: torch.device, dtypes: list[torch.dtype]) -> None:
    """Print seconds per step of both sides."""
    encoder = load_encoder(options.encoder)
    pairs = held_out_pairs(options.pictures, AdainEvaluateParams(content_side=options.crop, style_side=options.crop))
    chosen = [pair for pair, _ in zip(pairs, range(options.batch))]
    batch = Batch(*(torch.cat(crops).to(device).to(memory_format=torch.channels_last) for crops in zip(*chosen)))
    print(f"Same losses from the same weights: {same_losses(encoder, batch, device)}.\n")
    steps: dict[tuple[str, str], Callable[[], object]] = {}
    for dtype in dtypes:
        plain = Plain(encoder, initial_decoder(SEED)).to(device)
        steps["pytorch-AdaIN's", name(dtype)] = step(plain, batch[:2], dtype)
        steps["ours, with its losses and Adam", name(dtype)] = ours(encoder, RECIPE, batch, dtype)
        steps["ours, by params.yaml", name(dtype)] = ours(encoder, {}, batch, dtype)
        steps["ours, an identity step", name(dtype)] = ours(encoder, {}, batch._replace(style=None), dtype)
    times = {job: median(found) for job, found in in_turns(steps, options.rounds, STEPS).items()}
    rates = {name(dtype): matrix_rate(dtype, device) for dtype in dtypes}
    work, first = operations(options.crop, options.batch), next(iter(times.values()))
    print(f"Crop {options.crop}, batch {options.batch}, medians of {options.rounds} rounds in turns:\n")
    rows = [
        [side, dtype, f"{took:.4f}", f"{first / took:.2f}",
         f"{work / took / rates[dtype]:.0%} of {rates[dtype] / 1e12:.2f} TFLOP/s"]
        for (side, dtype), took in times.items()
    ]  # fmt: skip
    print(table(["step", "precision", "seconds", "times as fast", "of the matrix rate"], rows), flush=True)


def ours(encoder: Encoder, changes: dict, batch: Batch, dtype: torch.dtype) -> Callable[[], object]:
    """Return what takes our step on this batch, from the peer's first weights."""
    params = settings(changes | {"max_iter": 100_000})
    device = batch.content.device
    state = new_state(initial_decoder(SEED), params, device)
    move = step_function(encoder, state, params, Processes(0, 1, device), dtype)
    return lambda: move(batch)


def same_losses(encoder: Encoder, batch: Batch, device: torch.device) -> str:
    """Stop unless both sides compute the same losses from the same weights."""
    encoder, decoder = encoder.to(device), initial_decoder(SEED).to(device)
    assert batch.style is not None
    with torch.no_grad():
        _, found, _ = batch_losses(encoder, decoder, batch, settings(RECIPE), torch.float32)
        plain = Plain(encoder, decoder).to(device)(batch.content.float() / 255, batch.style.float() / 255)
    torch.testing.assert_close(found, plain, rtol=1e-4, atol=1e-4)
    return " and ".join(", ".join(f"{loss:.4f}" for loss in losses.tolist()) for losses in (found, plain))


def operations(crop: int, batch: int) -> float:
    """Floating-point operations of pytorch-AdaIN's step, for multiplications and additions of its convolutions.

    Encoder: content, style and result forward, the result backward to its input. Decoder: forward, backward to inputs
    and weights. Our decoder's layers on enlarged maps take 4/9 of the operations that are counted here.
    """

    def passes(layers: tuple) -> float:
        return sum(2 * 9 * a * b * (crop / 2 ** (int(layer[5]) - 1)) ** 2 for layer, a, b in layers)

    return batch * (4 * passes(ENCODER_LAYERS) + 3 * passes(DECODER_LAYERS))


def muon_table(rounds: int, device: torch.device) -> None:
    """Print what the optimisers cost per step, here and without this CPU's newer instructions."""
    found = {"here": muon_seconds(rounds)}
    if device.type == "cpu":
        command = [sys.executable, __file__, "--muon", "--rounds", "1"]  # there torch's takes long
        result = subprocess.run(command, env=os.environ | LAPTOP, stdout=subprocess.PIPE, text=True, check=True)
        found["with AVX2 alone"] = json.loads(result.stdout.splitlines()[-1])
    print("\nSeconds per step for the decoder's matrices, whatever the crops:\n")
    rows = [[side, *(f"{times[side]:.4f}" for times in found.values())] for side in found["here"]]
    print(table(["optimiser", *found], rows))


def muon_seconds(rounds: int) -> dict[str, float]:
    """Median seconds per step of the optimisers on the decoder's matrices (ours moves one in `TURNS` at a time)."""
    device = pick_device("auto")
    decoder = initial_decoder(SEED).to(device)
    layers = [getattr(decoder, layer).weight.detach().flatten(1) for layer, _, _ in DECODER_LAYERS[:-1]]
    jobs: dict[str, Callable[[], object]] = {}
    for kind, make in (("our Muon", Muon), ("torch.optim.Muon", torch.optim.Muon), ("Adam", torch.optim.Adam)):
        matrices = [layer.clone() for layer in layers]
        for matrix in matrices:
            matrix.grad = torch.randn_like(matrix)
        jobs[kind] = make(matrices, lr=1e-4).step
    return {kind: median(found) for kind, found in in_turns(jobs, rounds, TURNS).items()}


if __name__ == "__main__":
    main()
