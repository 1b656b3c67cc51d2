"""Judge the AdaIN checkpoints on pairs of pictures that the training never saw."""

from pathlib import Path

from nnlab.stage import run


def main(
    encoder: Path, content: Path, style: Path, training: Path,
    metrics: Path, summary: Path, curves: Path, held_out: Path, figure: Path, params: Path = Path("params.yaml"),
) -> None:  # fmt: skip
    """Write metrics and headline numbers (JSON), curves of training and checkpoints (CSV) and their figure (PNG)."""
    from nnlab.adain.evaluate import evaluate
    from nnlab.params import load_params

    loaded = load_params(params)
    inputs, outputs = [encoder, content, style, training], [metrics, summary, curves, held_out, figure]
    evaluate(loaded.adain, loaded.hardware.device, inputs, outputs)


if __name__ == "__main__":
    run(main)
