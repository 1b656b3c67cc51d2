"""Train the classifier of Fashion-MNIST."""

from pathlib import Path

from nnlab.stage import run


def main(data: Path, model: Path, params: Path = Path("params.yaml")) -> None:
    """Train on the data set in `data`; write the network with its curves to `model`."""
    from nnlab.fashion.jobs import train_and_log
    from nnlab.fashion.trained import save
    from nnlab.params import load_params

    loaded = load_params(params)
    save(model, train_and_log("fashion", data, loaded.fashion, loaded.hardware.device, loaded.hardware.precision))


if __name__ == "__main__":
    run(main)
