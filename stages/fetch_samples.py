"""Collect the sample photos that installed packages carry."""

from pathlib import Path

from nnlab.data.catalog import fetch
from nnlab.data.samples import SAMPLES
from nnlab.params import Params
from nnlab.stage import script


@script
def main(folder: Path, params: Params) -> None:
    """Fill `folder` with the photos and their provenance."""
    fetch(SAMPLES, folder, params.sources.mirror)
