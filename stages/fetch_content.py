"""Fetch the photos that AdaIN is trained on, as adain.data.content names them."""

from pathlib import Path

from nnlab.data.sets import fetch_set
from nnlab.params import load_params
from nnlab.stage import run


def main(folder: Path, params: Path = Path("params.yaml")) -> None:
    """Fill `folder` with the archives of the set and their provenance."""
    settings = load_params(params)
    fetch_set("adain.data.content", settings.adain.data.content, folder, settings.sources.mirror)


if __name__ == "__main__":
    run(main)
