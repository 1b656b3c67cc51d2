"""Fetch the VGG19 weights that `vgg.weights` names, verified."""

from pathlib import Path

from nnlab.data.vgg_assets import fetch_vgg
from nnlab.params import load_params
from nnlab.stage import run


def main(folder: Path, params: Path = Path("params.yaml")) -> None:
    """Fill `folder` with one weights file and its provenance."""
    loaded = load_params(params)
    fetch_vgg(loaded.vgg.weights, loaded.vgg.file, folder, loaded.sources.mirror)


if __name__ == "__main__":
    run(main)
