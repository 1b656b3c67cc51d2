"""Paint one job of `gatys.jobs`: the photo in the painting's manner, by optimising its pixels."""

from pathlib import Path

from nnlab.errors import UserError
from nnlab.stage import run


def main(job: str, vgg: Path, content: Path, style: Path, out: Path, params: Path = Path("params.yaml")) -> None:
    """Write pictures, losses.csv and info.json into `out`."""
    from nnlab.params import load_params

    loaded = load_params(params)
    if job not in loaded.gatys.jobs:
        raise UserError(f"no job {job!r} in gatys.jobs; found {', '.join(loaded.gatys.jobs)}")

    from nnlab.gatys.results import stylize
    from nnlab.training.device import pick_device, pick_precision

    device = pick_device(loaded.hardware.device)
    precision = pick_precision(loaded.hardware.precision, device)
    stylize(job, loaded.gatys.jobs[job], vgg, content, style, out, device, precision)


if __name__ == "__main__":
    run(main)
