"""Fetch the assignment's pair of pictures; where it cannot be reached, named stand-ins."""

from pathlib import Path

from nnlab.data.pair import fetch_pair
from nnlab.params import load_params
from nnlab.stage import run


def main(pictures: Path, folder: Path, params: Path = Path("params.yaml")) -> None:
    """Write content.jpg, style.jpg and provenance.json into `folder`."""
    fetch_pair(pictures, folder, load_params(params).sources.mirror)


if __name__ == "__main__":
    run(main)
