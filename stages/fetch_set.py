"""Fetch the photos (`content`) or the paintings (`style`) that AdaIN is trained on, as adain.data names them."""

from pathlib import Path

from nnlab.data.sets import coco, fetch_set
from nnlab.data.wikiart import wikiart
from nnlab.params import Params
from nnlab.stage import script


@script
def main(kind: str, folder: Path, params: Params) -> None:
    """Fill `folder` with the archives of the set and their provenance."""
    choice, mirror = getattr(params.adain.data, kind), params.sources.mirror
    named = coco(mirror) if kind == "content" else wikiart(choice, mirror)
    fetch_set(f"adain.data.{kind}", choice, folder, named)
