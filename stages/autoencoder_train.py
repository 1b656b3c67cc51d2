"""Train the MNIST autoencoder with a code of two numbers."""

from pathlib import Path

from nnlab.autoencoder.train import train
from nnlab.params import load_params
from nnlab.stage import run
from nnlab.training.loop import train_and_save


def main(data: Path, model: Path, params: Path = Path("params.yaml")) -> None:
    """Train on the data set in `data`; write the autoencoder with its curves to `model`."""
    loaded = load_params(params)
    train_and_save("autoencoder", train, data, loaded.autoencoder, loaded.hardware, model)


if __name__ == "__main__":
    run(main)
