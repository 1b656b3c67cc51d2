"""Fetch the assignment's pair of pictures; where it cannot be reached, named stand-ins."""

from pathlib import Path

from nnlab.data.pair import fetch_pair
from nnlab.params import Params
from nnlab.stage import script


@script
def main(pictures: Path, folder: Path, params: Params) -> None:
    """Write content.jpg, style.jpg and provenance.json into `folder`."""
    fetch_pair(pictures, folder, params.sources.mirror)
