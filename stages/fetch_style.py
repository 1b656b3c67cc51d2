"""Fetch the paintings that AdaIN is trained on, as adain.data.style names them."""

from pathlib import Path

from nnlab.data.sets import fetch_set
from nnlab.params import load_params
from nnlab.stage import run


def main(folder: Path, params: Path = Path("params.yaml")) -> None:
    """Fill `folder` with the archives of the set and their provenance."""
    settings = load_params(params)
    fetch_set("adain.data.style", settings.adain.data.style, folder, settings.sources.mirror)


if __name__ == "__main__":
    run(main)
