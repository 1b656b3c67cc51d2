"""The training stage: packed sets and parameters in, decoders and curves out, in one process or several."""

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from nnlab.adain.checkpoint import State, milestone, new_state, restore
from nnlab.adain.data import Crops, sample_crops
from nnlab.adain.model import Decoder, Encoder, initial_decoder
from nnlab.adain.pairs import held_out_pairs
from nnlab.adain.start import closed_form_decoder
from nnlab.adain.train import Setting, train
from nnlab.adain.watch import COLUMNS, Watch, rows
from nnlab.data.imageset import MANIFEST, ImageSet
from nnlab.errors import UserError
from nnlab.files import atomic
from nnlab.params import ASSIGNED_ITERATIONS, AdainParams, AdainTrainParams
from nnlab.results import write_csv
from nnlab.training.device import pick_device, pick_precision
from nnlab.training.processes import Processes, processes
from nnlab.training.state import resume_dir
from nnlab.vgg_weights import Weights, read_weights

# All that decides pixels, weights and rows, as dvc.yaml has it: a saved state of other code must not go on.
CODE = [
    Path(__file__).parents[1] / name
    for name in ("adain", "data/decoding.py", "data/images.py", "data/imageset.py", "training", "vgg.py",
                 "vgg_layers.py", "vgg_weights.py")
]  # fmt: skip


def train_decoder(
    adain: AdainParams, device: str, precision: str, inputs: tuple[Path, Path, Path, Path], curves: Path,
    decoders: list[Path],
) -> None:  # fmt: skip
    """Train; write the curves (CSV) and the decoder of every milestone to `decoders`, whose names end in percentages.

    `inputs`: encoder, packed photos, packed paintings, the gallery whose held-out pictures TensorBoard shows. Goes on
    where an interrupted run with the same parameters, code and data stopped.
    """
    settings = adain.train
    check_names(settings, decoders)
    with processes(pick_device(device)) as team:
        dtype = pick_precision(precision, team.device)
        if team.writes:
            _warn_of_a_short_run(settings)
        torch.backends.cudnn.benchmark = True  # crops have few sizes: the fastest algorithms are found once
        data = [inputs[0], inputs[1] / MANIFEST, inputs[2] / MANIFEST]
        key = {**settings.model_dump(), "device": team.device.type, "precision": str(dtype)}
        folder = resume_dir("adain_train", key, CODE, data)
        with _named_compiler(adain.run.compile):
            state = _train(adain, team, dtype, inputs, folder)
        team.wait()
        if team.writes:
            write_csv(curves, COLUMNS, rows(state.history.cpu(), 0, settings))
            for percent, path in zip(settings.milestones, decoders):
                with atomic(path) as temporary:
                    shutil.copyfile(milestone(folder, percent), temporary)
            shutil.rmtree(folder)


def check_names(settings: AdainTrainParams, decoders: list[Path]) -> None:
    """UserError if dvc.yaml names other checkpoints than the training keeps: told before it, not after."""
    named = [path.stem.rpartition("_")[2] for path in decoders]
    kept = [str(percent) for percent in settings.milestones]
    if named != kept:
        raise UserError(
            f"adain.train.checkpoint_fractions give checkpoints at {', '.join(kept)} %, but dvc.yaml names "
            f"{', '.join(named)}: change one of the two"
        )


def _warn_of_a_short_run(settings: AdainTrainParams) -> None:
    if settings.max_iter < ASSIGNED_ITERATIONS:
        print(
            f"adain_train: warning: adain.train.max_iter = {settings.max_iter}; "
            f"the assignment asks for at least {ASSIGNED_ITERATIONS}",
            file=sys.stderr,
        )


def _train(
    adain: AdainParams, team: Processes, dtype: torch.dtype, inputs: tuple[Path, Path, Path, Path], folder: Path
) -> State:
    """Train in `folder` and return the final state."""
    settings, weights = adain.train, read_weights(inputs[0])
    pairs = list(held_out_pairs(inputs[3], adain.evaluate))
    cache = (adain.run.cache_mib << 20) // team.world  # per set, whatever the number of processes
    content, style = (ImageSet(path, cache) for path in inputs[1:3])
    crops = Crops(content, style, settings, team.rank, team.world)
    state = new_state(Decoder(), settings, team.device, dtype)
    restore(state, folder, settings.milestones)
    team.wait()  # no process writes before all have read
    if not state.step:
        state.begin_with(_first_decoder(weights, content, style, settings))
    setting = Setting(team, dtype, adain.run.workers, adain.run.save_every, adain.run.compile)
    encoder = Encoder(weights)
    with Watch(settings, encoder, pairs) as report:
        train(encoder, state, crops, setting, folder, report)
    return state


def _first_decoder(weights: Weights, content: ImageSet, style: ImageSet, settings: AdainTrainParams) -> Decoder:
    if settings.start == "random":
        return initial_decoder(settings.seed)
    began = time.perf_counter()
    decoder = closed_form_decoder(weights, sample_crops(content, style, settings.seed), settings.seed)
    print(f"adain_train: closed-form start found in {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    return decoder


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
