"""Train the AdaIN decoder; PET_NPROC_PER_NODE=2 (torchrun's variable) runs it in two processes."""

from pathlib import Path

from nnlab.adain.choice import check_pictures
from nnlab.adain.run import train_decoder
from nnlab.params import Params
from nnlab.stage import script
from nnlab.training.processes import start_torchrun


@script
def main(
    encoder: Path, content: Path, style: Path, pictures: Path, curves: Path,
    decoder_10: Path, decoder_50: Path, decoder_80: Path, decoder_100: Path, params: Params,
) -> None:  # fmt: skip
    """Train on the sets `content` and `style`; write the curves and the decoders after 10, 50, 80 and 100 %."""
    check_pictures(params.adain.pictures)  # what the stages after this one would stumble over, after all the work
    start_torchrun()
    decoders = [decoder_10, decoder_50, decoder_80, decoder_100]
    train_decoder(params.adain, params.hardware, (encoder, content, style, pictures), curves, decoders)
