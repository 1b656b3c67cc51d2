"""Fetch the VGG19 weights that `vgg.weights` names, verified."""

from pathlib import Path

from nnlab.data.vgg_assets import fetch_vgg
from nnlab.params import Params
from nnlab.stage import script


@script
def main(folder: Path, params: Params) -> None:
    """Fill `folder` with one weights file and its provenance."""
    fetch_vgg(params.vgg.weights, folder, params.sources.mirror)
