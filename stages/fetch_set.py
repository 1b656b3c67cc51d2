"""Fetch the photos (`content`) or the paintings (`style`) that AdaIN is trained on, as adain.data names them."""

from pathlib import Path

from nnlab.data.sets import fetch_set
from nnlab.params import Params
from nnlab.stage import script


@script
def main(kind: str, folder: Path, params: Params) -> None:
    """Fill `folder` with the archives of the set and their provenance."""
    fetch_set(f"adain.data.{kind}", getattr(params.adain.data, kind), folder, params.sources.mirror)
