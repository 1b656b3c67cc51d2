"""Fetch the files of one asset: MNIST or Fashion-MNIST, as raw IDX files, or GCompris's pictures; verified."""

from pathlib import Path

from nnlab.data.catalog import DIGITS, fetch
from nnlab.data.gcompris import GCOMPRIS
from nnlab.params import Params
from nnlab.stage import script


@script
def main(name: str, folder: Path, params: Params) -> None:
    """Fill `folder` with the files and their provenance."""
    fetch({**DIGITS, "gcompris": GCOMPRIS}[name], folder, params.sources.mirror)
