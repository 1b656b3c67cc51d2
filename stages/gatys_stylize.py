"""Paint one job of `gatys.jobs`: the photo in the painting's manner, by optimising its pixels."""

from pathlib import Path

from nnlab.errors import UserError
from nnlab.gatys.transfer import stylize
from nnlab.params import Params
from nnlab.stage import script
from nnlab.training.device import pick_device, pick_precision


@script
def main(stage: str, vgg: Path, results: Path, params: Params) -> None:
    """Write pictures, losses.csv and info.json into the job's folder in `results`.

    `stage` is `gatys_stylize@<job>`, or the job alone: neither its name nor its paths pass through a shell.
    """
    job = stage.rpartition("@")[2]
    if job not in params.gatys.jobs:
        raise UserError(f"no job {job!r} in gatys.jobs; found {', '.join(params.gatys.jobs)}")
    device = pick_device(params.hardware.device)
    precision = pick_precision(params.hardware.precision, device)
    stylize(job, params.gatys.jobs[job], vgg, results / job, device, precision)
