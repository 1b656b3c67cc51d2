"""Paint one job of `gatys.jobs`: the photo in the painting's manner, by optimising its pixels."""

from pathlib import Path

from nnlab.errors import UserError
from nnlab.gatys.transfer import stylize
from nnlab.params import Params
from nnlab.stage import script
from nnlab.training.device import pick_device, pick_precision


@script
def main(job: str, vgg: Path, out: Path, params: Params) -> None:
    """Write pictures, losses.csv and info.json into `out`. The job's own paths never pass through a shell."""
    if job not in params.gatys.jobs:
        raise UserError(f"no job {job!r} in gatys.jobs; found {', '.join(params.gatys.jobs)}")
    device = pick_device(params.hardware.device)
    stylize(job, params.gatys.jobs[job], vgg, out, device, pick_precision(params.hardware.precision, device))
