"""Collect the sample photos that installed packages carry."""

from pathlib import Path

from nnlab.data.samples import fetch_samples
from nnlab.stage import script


@script
def main(folder: Path) -> None:
    """Write photos/ and provenance.json into `folder`."""
    fetch_samples(folder)
