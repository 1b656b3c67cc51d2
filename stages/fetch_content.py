"""Fetch the photos that AdaIN is trained on, as adain.train.content names them."""

from pathlib import Path

from nnlab.stage import run


def main(folder: Path, params: Path = Path("params.yaml")) -> None:
    """Fill `folder` with the archives of the set and their provenance."""
    from nnlab.data.imagesets import fetch_set
    from nnlab.params import load_params

    settings = load_params(params)
    fetch_set("content", settings.adain.train.content, folder, settings.sources.mirror)


if __name__ == "__main__":
    run(main)
