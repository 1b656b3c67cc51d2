"""Make whole paintings and photos of GCompris's files, some of them held out from training."""

from pathlib import Path

from nnlab.data.catalog import check
from nnlab.data.gallery import build_gallery
from nnlab.data.gcompris import gcompris_asset
from nnlab.stage import run


def main(gcompris: Path, folder: Path) -> None:
    """Write paintings/, photos/ and provenance.csv into `folder`."""
    check(gcompris_asset(), gcompris)
    build_gallery(gcompris, folder)


if __name__ == "__main__":
    run(main)
