"""Train the classifier of Fashion-MNIST."""

from pathlib import Path

from nnlab.fashion.train import prepare
from nnlab.params import Params
from nnlab.stage import script
from nnlab.training.loop import train_and_save


@script
def main(data: Path, model: Path, params: Params) -> None:
    """Train on the data set in `data`; write the network with its curves to `model`."""
    train_and_save("fashion", prepare, data, params.fashion.main, params.hardware, model)
