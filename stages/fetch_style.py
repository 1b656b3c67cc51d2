"""Fetch the paintings that AdaIN is trained on, as adain.data.style names them."""

from pathlib import Path

from nnlab.data.sets import fetch_set
from nnlab.data.wikiart import wikiart
from nnlab.params import Params
from nnlab.stage import script


@script
def main(folder: Path, params: Params) -> None:
    """Fill `folder` with the archives of the set and their provenance."""
    style = params.adain.data.style
    fetch_set("adain.data.style", style, folder, wikiart(style, params.sources.mirror))
