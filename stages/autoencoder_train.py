"""Train the MNIST autoencoder with a code of two numbers, or the one that takes noise off digits."""

from pathlib import Path

from nnlab.autoencoder.train import prepare
from nnlab.data.idx import load_split
from nnlab.params import Params
from nnlab.stage import script
from nnlab.training.loop import train_and_save


@script
def main(name: str, data: Path, model: Path, params: Params) -> None:
    """Train `autoencoder` or `denoiser` on the data set in `data`; write it with its curves to `model`."""
    splits = load_split(data, "train"), load_split(data, "test")
    train_and_save(name, prepare, *splits, getattr(params, name), params.hardware, model)
