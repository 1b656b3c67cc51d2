"""Train the named variants of the classifier, one after the other."""

from pathlib import Path

from nnlab.data.idx import load_split
from nnlab.fashion.train import prepare
from nnlab.files import atomic_dir
from nnlab.params import Params
from nnlab.stage import script
from nnlab.training.loop import train_and_save


@script
def main(data: Path, models: Path, params: Params) -> None:
    """Train on the data set in `data`; write one network per variant into the folder `models`."""
    splits = load_split(data, "train"), load_split(data, "test")
    with atomic_dir(models) as folder:
        for name, settings in params.fashion.variants.items():
            file = folder / f"{name}.safetensors"
            train_and_save(f"fashion_variants/{name}", prepare, *splits, settings, params.hardware, file)
