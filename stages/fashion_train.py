"""Train the classifier of Fashion-MNIST."""

from pathlib import Path

from nnlab.data.idx import load_split
from nnlab.fashion.train import prepare
from nnlab.params import Params
from nnlab.stage import script
from nnlab.training.loop import train_and_save


@script
def main(data: Path, model: Path, params: Params) -> None:
    """Train on the data set in `data`; write the network with its curves to `model`."""
    splits = load_split(data, "train"), load_split(data, "test")
    train_and_save("fashion", prepare, *splits, params.fashion.main, params.hardware, model)
