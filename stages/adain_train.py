"""Train the AdaIN decoder; also under torchrun, which `adain.run.processes` starts."""

from pathlib import Path

from nnlab.stage import run


def main(encoder: Path, content: Path, style: Path, out: Path, params: Path = Path("params.yaml")) -> None:
    """Train on the pools `content` and `style`; write history.csv and the milestones into the folder `out`."""
    from nnlab.adain.choice import check_pictures
    from nnlab.adain.trained import check_outs
    from nnlab.params import load_params

    loaded = load_params(params)  # before any work: a wrong parameter is told at once
    check_outs(loaded.adain.train.checkpoint_fractions)
    check_pictures(loaded.adain.pictures)  # what the stages after this one would stumble over, after all the work
    from nnlab.adain.launch import relaunch, train_decoder

    if not relaunch(loaded.adain.run.processes, loaded.hardware.device):
        train_decoder(loaded.adain, loaded.hardware.device, loaded.hardware.precision, encoder, content, style, out)


if __name__ == "__main__":
    run(main)
