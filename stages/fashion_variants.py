"""Train the named variants of the classifier, one after the other."""

from pathlib import Path

from nnlab.stage import run


def main(data: Path, models: Path, params: Path = Path("params.yaml")) -> None:
    """Train on the data set in `data`; write one network per variant into the folder `models`."""
    from nnlab.fashion.jobs import train_and_log
    from nnlab.fashion.trained import save
    from nnlab.files import atomic_dir
    from nnlab.params import load_params

    loaded = load_params(params)
    hardware = loaded.hardware
    with atomic_dir(models) as folder:
        for name, settings in loaded.fashion.variants.items():
            trained = train_and_log(f"fashion_variants/{name}", data, settings, hardware.device, hardware.precision)
            save(folder / f"{name}.safetensors", trained)


if __name__ == "__main__":
    run(main)
