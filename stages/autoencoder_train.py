"""Train the MNIST autoencoder with a code of two numbers, or the one that takes noise off digits."""

from pathlib import Path

from nnlab.autoencoder.train import prepare
from nnlab.params import load_params
from nnlab.stage import run
from nnlab.training.loop import train_and_save


def main(name: str, data: Path, model: Path, params: Path = Path("params.yaml")) -> None:
    """Train `autoencoder` or `denoiser` on the data set in `data`; write it with its curves to `model`."""
    loaded = load_params(params)
    train_and_save(name, prepare, data, getattr(loaded, name), loaded.hardware, model)


if __name__ == "__main__":
    run(main)
