"""Make whole paintings and photos of GCompris's files, some of them held out from training."""

from nnlab.data.gcompris import build_gallery
from nnlab.stage import run

if __name__ == "__main__":
    run(build_gallery)
