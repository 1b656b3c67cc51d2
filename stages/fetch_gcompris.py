"""Fetch the files of GCompris that paintings and photos are made of, verified."""

from pathlib import Path

from nnlab.data.catalog import fetch
from nnlab.data.gcompris import gcompris_asset
from nnlab.params import load_params
from nnlab.stage import run


def main(folder: Path, params: Path = Path("params.yaml")) -> None:
    """Fill `folder` with the files, by their paths in GCompris, and their provenance."""
    fetch(gcompris_asset(), folder, load_params(params).sources.mirror)


if __name__ == "__main__":
    run(main)
