"""Train the classifier of Fashion-MNIST."""

from pathlib import Path

from nnlab.fashion.train import prepare
from nnlab.params import load_params
from nnlab.stage import run
from nnlab.training.loop import train_and_save


def main(data: Path, model: Path, params: Path = Path("params.yaml")) -> None:
    """Train on the data set in `data`; write the network with its curves to `model`."""
    loaded = load_params(params)
    train_and_save("fashion", prepare, data, loaded.fashion.main, loaded.hardware, model)


if __name__ == "__main__":
    run(main)
