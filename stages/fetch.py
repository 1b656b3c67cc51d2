"""Fetch the files of one asset, verified: MNIST or Fashion-MNIST, GCompris's pictures, or sample photos."""

from pathlib import Path

from nnlab.data.catalog import DIGITS, fetch
from nnlab.data.gcompris import GCOMPRIS
from nnlab.data.samples import SAMPLES
from nnlab.params import Params
from nnlab.stage import script


@script
def main(name: str, folder: Path, params: Params) -> None:
    """Fill `folder` with the files and their provenance."""
    fetch({**DIGITS, "gcompris": GCOMPRIS, "samples": SAMPLES}[name], folder, params.sources.mirror)
