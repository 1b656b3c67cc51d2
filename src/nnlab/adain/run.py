"""The training stage: packed sets and parameters in, decoders and curves out, in one process or several."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pandas as pd
import torch
import torch.nn.functional as F
from torchvision.utils import make_grid

from nnlab.adain.data import Crops, Pair, held_out_pairs, sample_crops
from nnlab.adain.model import Decoder, Encoder, adain, initial_decoder, to_images
from nnlab.adain.start import closed_form_decoder
from nnlab.adain.train import State, curve, new_state, row_ends, step_function, train
from nnlab.adain.weights import CURVES, ENCODER, checkpoints
from nnlab.data.imageset import MANIFEST, ImageSet
from nnlab.errors import UserError
from nnlab.files import atomic_dir
from nnlab.params import AdainParams, AdainTrainParams, HardwareParams
from nnlab.results import write_csv
from nnlab.training.device import pick_device, pick_precision
from nnlab.training.processes import Processes, processes
from nnlab.training.progress import Progress
from nnlab.training.state import STATE, load_tensors, resume_dir
from nnlab.training.tensorboard import log_writer
from nnlab.vgg.weights import Weights, read_weights

PICTURES = 4  # held-out pairs that TensorBoard shows
PICTURES_TIMES = 10  # how often in a run
ADDED = """The curves show the paper's content and style loss. What else is made smaller, where it has a weight:
**Structure**, in every step: features of relu1_1 ... relu3_1 are pulled towards their own AdaIN, because relu4_1 alone
leaves a shape free by some pixels (halos, doubled contours). **Identity**, in a share of the steps: the style is the
photo itself and pixels are pulled to it (SANet, Park & Lee 2019): the decoder is asked to invert the encoder, too.
**Colour**, in the other steps: the photo's own colours, moved to the style's as a whole (light and dark rims).
Then a power of the sum is taken (adain.train.power)."""


def train_decoder(
    params: AdainParams, hardware: HardwareParams, inputs: tuple[Path, Path, Path, Path], out: Path
) -> None:
    """Train; write the folder `out`: the decoder of every milestone, the encoder that they fit, the curves (CSV).

    `inputs`: encoder, packed photos, packed paintings, the gallery whose held-out pictures TensorBoard shows. Goes on
    where an interrupted run with the same parameters, code and data stopped.
    """
    settings = params.train
    with processes(pick_device(hardware.device)) as team:
        dtype = pick_precision(hardware.precision, team.device)
        torch.backends.cudnn.benchmark = True  # crops have one size: the fastest algorithms are found once
        data = [inputs[0], inputs[1] / MANIFEST, inputs[2] / MANIFEST]
        machine = f"{team.device.type}-{str(dtype)[6:]}"
        folder = team.first(lambda: resume_dir("adain_train", settings.model_dump(), data, machine))
        state = _train(params, team, dtype, inputs, folder)
        team.wait()
        if team.rank == 0:
            table = pd.DataFrame([curve(state, settings, stop) for stop in row_ends(settings)])
            with atomic_dir(out) as temporary:
                shutil.copyfile(inputs[0], temporary / ENCODER)
                for path in checkpoints(folder).values():
                    shutil.copyfile(path, temporary / path.name)
                write_csv(temporary / CURVES, table)
            (folder / STATE).unlink()  # first: a last state without its decoders could never end
            shutil.rmtree(folder)


def _train(
    params: AdainParams, team: Processes, dtype: torch.dtype, inputs: tuple[Path, Path, Path, Path], folder: Path
) -> State:
    """Train in `folder`, or go on there; return the final state."""
    settings, weights = params.train, read_weights(inputs[0])
    encoder, pairs = Encoder(weights), list(held_out_pairs(inputs[3], params.evaluate))
    cache = (params.run.cache_mib << 20) // team.world  # per set, whatever the number of processes
    content, style = (ImageSet(path, cache) for path in inputs[1:3])
    crops = Crops(content, style, settings, team.rank, team.world)
    saved = load_tensors(folder / STATE) if (folder / STATE).exists() else None
    decoder = Decoder() if saved else _first_decoder(weights, crops)
    state = new_state(decoder, settings, team.device, dtype)
    if saved:
        state.restore(*saved)
    team.wait()  # no process writes before all have read
    move = step_function(encoder, state, settings, team, dtype, params.run.compile)
    shown = watch(state, settings, encoder, pairs[:PICTURES]) if team.rank == 0 else nullcontext(lambda: None)
    try:
        with shown as report:
            train(move, state, crops, team, params.run, folder, report)
    except Exception as error:
        if not type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
            raise
        raise UserError(
            f"adain.run.compile = true: torch.compile fails here ({str(error).strip().splitlines()[0]}); install a C++ "
            "compiler (CPU) or Triton (GPU), or set it to false"
        ) from None
    return state


def _first_decoder(weights: Weights, crops: Crops) -> Decoder:
    seed = crops.params.seed
    if crops.params.start == "random":
        return initial_decoder(seed)
    print("adain_train: finding the start in closed form", file=sys.stderr, flush=True)
    content, style = (ImageSet(pool.folder) for pool in (crops.content, crops.style))  # keep nothing: another side
    return closed_form_decoder(weights, sample_crops(content, style, seed), seed)


@contextmanager
def watch(state: State, params: AdainTrainParams, encoder: Encoder, pairs: list[Pair]) -> Iterator[Callable[[], None]]:
    """Show a training while it runs, by a progress line and in TensorBoard: call what is given at every row's end.

    Pictures are content, style and result of held-out pairs, a row each.
    """
    images = [[to_images(picture, torch.float32) for picture in pair] for pair in pairs]
    target = torch.cat([adain(*map(encoder.encode, pair)) for pair in images]).to(state.history.device)
    side = images[0][0].shape[-1]
    given = [F.interpolate(pair[number], side) for number in range(2) for pair in images]
    shown = 0
    with log_writer("adain") as writer, Progress(params.max_iter, "adain_train", start=state.step) as bar:
        writer.add_text("losses", ADDED)

        def report() -> None:
            nonlocal shown
            for stop in row_ends(params):
                if shown < stop <= state.step:  # also an interrupted run's
                    row = curve(state, params, stop)
                    for name in ("content_loss", "style_loss", "learning_rate"):
                        writer.add_scalar(name, row[name], stop)
            bar.update(state.step - bar.n, content=row["content_loss"], style=row["style_loss"])
            if state.step * PICTURES_TIMES // params.max_iter > shown * PICTURES_TIMES // params.max_iter:
                with torch.no_grad():
                    drawn = state.average(target).clamp(0, 1).cpu()
                sheet = make_grid(torch.cat([*given, drawn]), nrow=len(pairs), padding=0)
                writer.add_image("content, style, result", sheet, state.step)
            shown = state.step

        yield report
