"""Train with this project's loop and with pytorch-AdaIN's train.py, in turns, from the same files on disk.

    python benchmarks/adain_loops.py CHECKOUT ENCODER CONTENT STYLE [--crop 256 --resize 512 --batch 8 --iterations 96]

The sizes above are the reference's and the default on a GPU; a CPU takes a smaller step (SMALL), to end within minutes.

CHECKOUT is a clone of naoto0804/pytorch-AdaIN, ENCODER our encoder.safetensors or its vgg_normalised.pth, CONTENT and
STYLE flat folders of pictures. All that a step needs is in the time: reading, decoding, resizing, cropping, the step,
the log. The reference's own train.py runs; changed are its sizes, its device where there is no GPU, and its log, which
goes nowhere. Ours packs the pictures first (its time is printed), keeps nothing decoded in memory, as with sets that do
not fit there, and is run with a new crop for each pair, as the reference is, and with crops that meet four partners,
the default. Each run is a process of its own. Prints a table: iterations per second (median over rounds, without the
first iterations), ratio, share of the floor (operations over the measured matrix rate), wait for data, peak memory.
"""

import argparse
import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import torch

from nnlab.adain.launch import training_batches
from nnlab.adain.processes import Processes
from nnlab.adain.train import Report, Setting, train
from nnlab.adain.weights import encoder_to_reference, load_encoder
from nnlab.data.containers import pictures
from nnlab.data.packing import pack
from nnlab.params import KINDS, AdainTrainParams
from nnlab.training.device import pick_device, pick_precision

sys.path.insert(0, str(Path(__file__).parent))
from adain_training import PARTNERS, matrix_rate, operations

REFERENCE = "pytorch-AdaIN"
SIZES = ("Resize(size=(512, 512))", "RandomCrop(256)")  # what its train.py has in place of parameters
NEXT = ("next(content_iter)", "next(style_iter)")  # where it waits for data
FULL = {"crop": 256, "resize": 512, "batch": 8, "iterations": 96}
SMALL = {"crop": 128, "resize": 256, "batch": 2, "iterations": 32}
FLOAT32, BFLOAT16 = "float32", "bfloat16"
MEASURED = ("rate", "waited", "peak")


def main() -> None:
    """Pack, run both in turns, print."""
    options = _arguments()
    if options.one:
        print(json.dumps(_reference(options) if options.one == REFERENCE else _ours(options)))
        return
    with TemporaryDirectory() as name:
        options.work = Path(name)
        began = time.perf_counter()
        counts = [
            pack(pictures(folder), options.work / kind, options.resize)["images"]
            for kind, folder in zip(KINDS, (options.content, options.style), strict=True)
        ]
        packed = time.perf_counter() - began
        torch.save(encoder_to_reference(load_encoder(options.encoder)), options.work / "vgg.pth")
        _table(
            options, list(_rounds(options)), f"{counts[0]} photos and {counts[1]} paintings packed in {packed:.0f} s"
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("checkout", "encoder", "content", "style"):
        parser.add_argument(name, type=Path)
    sizes = FULL if torch.cuda.is_available() else SMALL
    for name, value in {**sizes, "warm": PARTNERS**2, "rounds": 5, "workers": os.cpu_count() or 1}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--compile", action="store_true", help="this project's step through torch.compile")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--partners", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--precision", default=FLOAT32, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _rounds(options: argparse.Namespace) -> Iterator[tuple[str, dict[str, float]]]:
    """Every kind of run once per round: its name, and what it measured."""
    fast = pick_precision("auto", pick_device("auto")) is torch.bfloat16
    kinds = {f"{REFERENCE}, {FLOAT32}": [REFERENCE]}
    for precision in [FLOAT32, BFLOAT16] if fast else [FLOAT32]:
        for partners in (1, PARTNERS):
            switches = ["ours", "--precision", precision, "--partners", str(partners)]
            kinds[f"nnlab, partners {partners}, {precision}"] = switches
    for number in range(options.rounds):
        for name, switches in kinds.items():
            print(f"round {number + 1} of {options.rounds}: {name}", file=sys.stderr, flush=True)
            command = [sys.executable, __file__, *sys.argv[1:], "--work", str(options.work), "--one", *switches]
            result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            yield name, json.loads(result.stdout.splitlines()[-1])


def _ours(options: argparse.Namespace) -> dict[str, float]:
    """Train with `nnlab.adain.train`; nothing is decoded beforehand."""
    device, steps = pick_device("auto"), options.iterations + options.warm
    torch.backends.cudnn.benchmark = True  # as `nnlab.adain.launch` and the reference
    params = AdainTrainParams(
        content="-", style="-", max_iter=steps, batch_size=options.batch, partners=options.partners,
        crop=options.crop, resize=options.resize,
        finish={"share": 0, "crop": options.crop, "resize": options.resize},
        learning_rate=1e-4, schedule="reference", warmup=0, beta2=0.999, average=0.998, content_weight=1.0,
        style_weight=10.0, checkpoint_fractions=[1.0], held_out_pairs=1, log_every=options.warm, seed=1,
    )  # fmt: skip
    setting = Setting(
        Processes(0, 1, device), getattr(torch, options.precision), options.workers, steps, options.compile
    )
    stamps: list[tuple[int, float, float]] = []

    def note(report: Report) -> None:
        stamps.append((report.step, time.perf_counter(), report.waited))

    feed = training_batches(params, options.work / KINDS[0], options.work / KINDS[1], cache_bytes=0)
    with TemporaryDirectory() as folder:
        train(load_encoder(options.encoder), feed, params, setting, Path(folder), note)
    (first, begin, waited), (last, end, waited_all) = stamps[1], stamps[-1]
    return _measured(last - first, end - begin, waited_all - waited, device)


def _reference(options: argparse.Namespace) -> dict[str, float]:
    """Run pytorch-AdaIN's train.py; it logs two values after each iteration, which tells the time."""
    stamps: list[tuple[float, float]] = []
    waited = 0.0

    def wait(loader: Iterator) -> object:
        nonlocal waited
        began = time.perf_counter()
        batch = next(loader)
        waited += time.perf_counter() - began
        return batch

    def note(name: str, value: float, step: int) -> None:
        if name == "loss_style":
            stamps.append((time.perf_counter(), waited))

    writer = SimpleNamespace(add_scalar=note, close=lambda: None)
    sys.modules["tensorboardX"] = SimpleNamespace(SummaryWriter=lambda log_dir: writer)  # type: ignore[assignment]
    sys.modules["tqdm"] = SimpleNamespace(tqdm=iter)  # type: ignore[assignment]
    sys.path.insert(0, str(options.checkout))
    multiprocessing.set_start_method("fork", force=True)  # its data sets live in a script, which is not importable
    with TemporaryDirectory() as folder:
        sys.argv = [
            "train.py", "--content_dir", str(options.content), "--style_dir", str(options.style),
            "--vgg", str(options.work / "vgg.pth"), "--save_dir", folder, "--log_dir", folder,
            "--max_iter", str(options.iterations + options.warm), "--batch_size", str(options.batch),
            "--n_threads", str(options.workers),
        ]  # fmt: skip
        exec(compile(_script(options), "train.py", "exec"), {"__name__": "__main__", "wait": wait})
    (begin, waited_before), (end, waited_after) = stamps[options.warm - 1], stamps[-1]
    return _measured(options.iterations, end - begin, waited_after - waited_before, pick_device("auto"))


def _script(options: argparse.Namespace) -> str:
    """Its train.py with our sizes, without a GPU if there is none, and with a clock where it waits for data."""
    script = (options.checkout / "train.py").read_text(encoding="utf-8")
    changes = {SIZES[0]: f"Resize(size=({options.resize}, {options.resize}))", SIZES[1]: f"RandomCrop({options.crop})"}
    changes |= {text: text.replace("next", "wait") for text in NEXT}
    if not torch.cuda.is_available():
        changes["torch.device('cuda')"] = "torch.device('cpu')"
    for old, new in changes.items():
        if script.count(old) != 1:
            sys.exit(f"{options.checkout}/train.py: {old} is not there once; is this naoto0804/pytorch-AdaIN?")
        script = script.replace(old, new)
    return script


def _measured(iterations: int, seconds: float, waited: float, device: torch.device) -> dict[str, float]:
    """What a run prints: iterations per second, share of the time that waited for data, peak memory (MiB)."""
    if device.type == "cuda":
        peak = torch.cuda.max_memory_allocated() / 2**20
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return dict(zip(MEASURED, (iterations / seconds, waited / seconds, peak)))


def _table(options: argparse.Namespace, runs: list[tuple[str, dict[str, float]]], packed: str) -> None:
    device = pick_device("auto")
    where = torch.cuda.get_device_name() if device.type == "cuda" else f"{torch.get_num_threads()} threads"
    print(
        f"Crop {options.crop} of shorter side {options.resize}, batch {options.batch}, {options.iterations} iterations "
        f"after {options.warm}, {options.workers} loader processes, {where}, torch {torch.__version__}"
        f"{', ours compiled' if options.compile else ''}; {packed}.\n"
    )
    print("| loop | iterations/s | ratio | of the matrix rate | waits for data | peak memory |")
    print("|---|---|---|---|---|---|")
    floors = {name: matrix_rate(getattr(torch, name.rsplit(" ", 1)[1]), device) for name in dict(runs)}
    first = None
    for name, floor in floors.items():
        rate, waited, peak = (statistics.median(run[key] for n, run in runs if n == name) for key in MEASURED)
        first = first or rate
        work = operations(options.crop, options.batch, PARTNERS if f"partners {PARTNERS}" in name else 1)
        share = f"{work * rate / floor:.0%} of {floor / 1e12:.2f} TFLOP/s"
        print(f"| {name} | {rate:.3g} | {rate / first:.2f} | {share} | {waited:.0%} | {peak:,.0f} MiB |")


if __name__ == "__main__":
    main()
