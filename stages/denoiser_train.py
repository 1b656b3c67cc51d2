"""Train the autoencoder that takes noise off MNIST digits."""

from pathlib import Path

from nnlab.stage import run


def main(data: Path, model: Path, params: Path = Path("params.yaml")) -> None:
    """Train on the data set in `data`; write the denoiser with its curves to `model`."""
    from nnlab.autoencoder.jobs import train_and_save
    from nnlab.params import load_params

    loaded = load_params(params)
    hardware = loaded.hardware
    train_and_save("denoiser", data, loaded.denoiser, hardware.device, hardware.precision, model)


if __name__ == "__main__":
    run(main)
