"""Fetch the photos that AdaIN is trained on, as adain.data.content names them."""

from pathlib import Path

from nnlab.data.sets import coco, fetch_set
from nnlab.params import Params
from nnlab.stage import script


@script
def main(folder: Path, params: Params) -> None:
    """Fill `folder` with the archives of the set and their provenance."""
    fetch_set("adain.data.content", params.adain.data.content, folder, coco(params.sources.mirror))
