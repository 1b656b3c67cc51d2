"""Fetch MNIST or Fashion-MNIST: four raw IDX files, verified."""

from pathlib import Path

from nnlab.data.catalog import DIGITS, fetch
from nnlab.params import load_params
from nnlab.stage import run


def main(name: str, folder: Path, params: Path = Path("params.yaml")) -> None:
    """Fill `folder` with the files of the data set and their provenance."""
    fetch(DIGITS[name], folder, load_params(params).sources.mirror)


if __name__ == "__main__":
    run(main)
