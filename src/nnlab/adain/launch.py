"""The training stage: pools and parameters in, the folder of milestones out, in one process or several."""

import csv
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from nnlab.adain.batches import Batches, InTwoParts
from nnlab.adain.held_out import held_out_pairs, split
from nnlab.adain.partners import batches_needed
from nnlab.adain.processes import Processes, check_gpus, processes, start
from nnlab.adain.schedule import finish_start, milestones
from nnlab.adain.train import Setting, train
from nnlab.adain.trained import HISTORY, milestone
from nnlab.adain.watch import Watch, rows
from nnlab.adain.weights import load_encoder
from nnlab.data.pools import Pool
from nnlab.data.shards import MANIFEST
from nnlab.errors import UserError
from nnlab.files import atomic_dir
from nnlab.params import ASSIGNED_ITERATIONS, KINDS, AdainParams, AdainTrainParams
from nnlab.training.device import pick_device, pick_precision
from nnlab.training.state import resume_dir

COLUMNS = ("iteration", "content_loss", "style_loss", "learning_rate")
# All that decides pixels, weights and rows, as dvc.yaml has it: a saved state of other code must not go on.
CODE = [
    Path(__file__).parents[1] / f"{name}.py"
    for name in (
        "adain/batches", "adain/checkpoint", "adain/held_out", "adain/launch", "adain/losses", "adain/model",
        "adain/partners", "adain/processes", "adain/schedule", "adain/statistics", "adain/train", "adain/trained",
        "adain/watch", "adain/weights",
        "data/images", "data/pools", "data/shards", "training/device", "training/seeds", "training/state", "vgg_layers",
        "vgg_weights",
    )
]  # fmt: skip
_NAMES_ONLY = {"content", "style"}  # which sets: their manifests say what is in them


def relaunch(count: int, device: str) -> bool:
    """Run this very command in ``count`` processes and return True; False if one is enough, or this is one of them.

    Raises UserError if there are fewer GPUs, or if a process fails.
    """
    if count == 1 or "WORLD_SIZE" in os.environ:
        return False
    if device.startswith(("auto", "cuda")) and torch.cuda.is_available():
        check_gpus(count)
    start(count)
    return True


def train_decoder(
    adain: AdainParams, device: str, precision: str, encoder: Path, content: Path, style: Path, out: Path
) -> None:
    """Train on packed sets of pictures; write history.csv and milestone_<percent>.safetensors into ``out``.

    Goes on where an interrupted run with the same parameters, code and data stopped.
    """
    settings = adain.train
    place = pick_device(device)
    with processes(place) as team:
        if team.writes and settings.max_iter < ASSIGNED_ITERATIONS:
            print(
                f"adain_train: warning: adain.train.max_iter = {settings.max_iter}; "
                f"the assignment asks for at least {ASSIGNED_ITERATIONS}",
                file=sys.stderr,
            )
        torch.backends.cudnn.benchmark = True  # crops have one size: the fastest algorithms are found once
        dtype = pick_precision(precision, team.device)
        data = [encoder, content / MANIFEST, style / MANIFEST]
        key = {**settings.model_dump(exclude=_NAMES_ONLY), "device": team.device.type, "precision": str(dtype)}
        folder = resume_dir("adain_train", key, CODE, data)
        with _named_compiler(adain.run.compile):
            _train(adain, team, dtype, (encoder, content, style), folder, out)
        team.wait()
        if team.writes:
            shutil.rmtree(folder)


@contextmanager
def _named_compiler(used: bool) -> Iterator[None]:
    """UserError for what torch.compile fails with, such as a machine without a C++ compiler or Triton."""
    try:
        yield
    except Exception as error:
        if not used or not type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
            raise
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:160]
        raise UserError(
            f"adain.run.compile = true: torch.compile fails here ({reason}); install a C++ compiler (CPU) or Triton "
            "(GPU), or set it to false"
        ) from None


def _train(
    adain: AdainParams, team: Processes, dtype: torch.dtype, inputs: tuple[Path, Path, Path], folder: Path, out: Path
) -> None:
    """Train in ``folder``, then fill ``out``."""
    settings = adain.train
    encoder = load_encoder(inputs[0])
    cache = (adain.run.cache_mib << 20) // team.world  # per set, whatever the number of processes
    feed = training_batches(settings, inputs[1], inputs[2], cache, team.rank, team.world)
    setting = Setting(team, dtype, adain.run.workers, adain.run.save_every, adain.run.compile)
    content, style = (Pool(path, settings.resize) for path in inputs[1:])
    pairs = held_out_pairs(content, style, settings.held_out_pairs, settings.resize, settings.seed)
    with Watch(settings, encoder, *pairs) as report:
        state = train(encoder, feed, settings, setting, folder, report)
    if team.writes:
        with atomic_dir(out) as target:
            table = [[f"{value:.6g}" for value in row] for row in rows(state.history.cpu(), 0, settings)]
            with (target / HISTORY).open("w", newline="", encoding="utf-8") as file:
                csv.writer(file, lineterminator="\n").writerows([COLUMNS, *table])
            for percent in milestones(settings):
                shutil.copyfile(milestone(folder, percent), milestone(target, percent))


def training_batches(
    settings: AdainTrainParams, content: Path, style: Path, cache_bytes: int, rank: int = 0, world: int = 1
) -> Batches | InTwoParts:
    """The batches of crops of a whole training, in their order: `nnlab.adain.partners` tells which steps take one.

    They come from two packed sets; what is held out of these is never in a batch. `cache_bytes` bounds the memory for
    decoded pictures, per set.
    """

    def crops(crop: int, resize: int) -> Batches:
        photos, paintings = (
            split(Pool(path, resize, cache_bytes), settings.held_out_pairs, settings.seed, kind)[0]
            for path, kind in zip((content, style), KINDS)
        )
        return Batches(photos, paintings, settings.seed, settings.batch_size, crop, rank, world)

    first, finish, turn = crops(settings.crop, settings.resize), settings.finish, finish_start(settings)
    if turn == settings.max_iter:
        return first
    return InTwoParts(first, crops(finish.crop, finish.resize), batches_needed(turn, settings.partners))
