"""Give the training's milestones their names: decoder_<percent>.safetensors."""

from pathlib import Path

from nnlab.adain.trained import export
from nnlab.params import load_params
from nnlab.stage import run


def main(training: Path, d10: Path, d50: Path, d80: Path, d100: Path, params: Path = Path("params.yaml")) -> None:
    """Copy the decoders out of the folder `training`; their names say the percentages, which must be those trained."""
    load_params(params)
    export(training, [d10, d50, d80, d100])


if __name__ == "__main__":
    run(main)
