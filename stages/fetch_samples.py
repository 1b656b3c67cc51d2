"""Collect the sample photos that installed packages carry."""

from pathlib import Path

from nnlab.data.samples import fetch_samples
from nnlab.params import load_params
from nnlab.stage import run


def main(folder: Path, params: Path = Path("params.yaml")) -> None:
    """Write photos/ and provenance.json into `folder`."""
    load_params(params)
    fetch_samples(folder)


if __name__ == "__main__":
    run(main)
