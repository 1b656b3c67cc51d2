"""Train the named variants of the classifier, one after the other."""

from pathlib import Path

from nnlab.fashion.train import prepare
from nnlab.files import atomic_dir
from nnlab.params import load_params
from nnlab.stage import run
from nnlab.training.loop import train_and_save


def main(data: Path, models: Path, params: Path = Path("params.yaml")) -> None:
    """Train on the data set in `data`; write one network per variant into the folder `models`."""
    loaded = load_params(params)
    with atomic_dir(models) as folder:
        for name, settings in loaded.fashion.variants.items():
            file = folder / f"{name}.safetensors"
            train_and_save(f"fashion_variants/{name}", prepare, data, settings, loaded.hardware, file)


if __name__ == "__main__":
    run(main)
