"""Paint one job of `gatys.jobs`: the photo in the painting's manner, by optimising its pixels."""

from pathlib import Path

from nnlab.errors import UserError
from nnlab.gatys.transfer import stylize
from nnlab.params import load_params
from nnlab.stage import run
from nnlab.training.device import pick_device, pick_precision


def main(job: str, vgg: Path, out: Path, params: Path = Path("params.yaml")) -> None:
    """Write pictures, losses.csv and info.json into `out`. The job's own paths never pass through a shell."""
    loaded = load_params(params)
    if job not in loaded.gatys.jobs:
        raise UserError(f"no job {job!r} in gatys.jobs; found {', '.join(loaded.gatys.jobs)}")
    device = pick_device(loaded.hardware.device)
    stylize(job, loaded.gatys.jobs[job], vgg, out, device, pick_precision(loaded.hardware.precision, device))


if __name__ == "__main__":
    run(main)
