"""Train the AdaIN decoder; PET_NPROC_PER_NODE=2 (torchrun's variable) runs it in two processes."""

from pathlib import Path

from nnlab.adain.choice import check_pictures
from nnlab.adain.run import train_decoder
from nnlab.params import Params
from nnlab.stage import script
from nnlab.training.processes import start_torchrun


@script
def main(encoder: Path, content: Path, style: Path, pictures: Path, out: Path, params: Params) -> None:
    """Train on the sets `content` and `style`; write `out`: encoder, the decoder of each checkpoint, curves."""
    check_pictures(params.adain.pictures)  # what the stages after this one would stumble over, after all the work
    start_torchrun()
    train_decoder(params.adain, params.hardware, (encoder, content, style, pictures), out)
