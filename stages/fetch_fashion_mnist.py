"""Fetch Fashion-MNIST: four raw IDX files, verified."""

from pathlib import Path

from nnlab.stage import run


def main(folder: Path, params: Path = Path("params.yaml")) -> None:
    """Fill `folder` with the files of Fashion-MNIST and their provenance."""
    from nnlab.data.assets import FASHION_MNIST
    from nnlab.data.fetch import fetch
    from nnlab.params import load_params

    fetch(FASHION_MNIST, folder, load_params(params).sources.mirror)


if __name__ == "__main__":
    run(main)
