"""Judge the AdaIN checkpoints on pictures that the training never saw."""

from pathlib import Path

import pandas as pd

from nnlab.adain.evaluate import curves_figure, evaluate
from nnlab.adain.weights import CURVES
from nnlab.figures import save_figure, style
from nnlab.params import Params
from nnlab.results import write_csv, write_metrics
from nnlab.stage import script
from nnlab.training.device import pick_device

HEADLINES = ("heldout_content_loss", "heldout_style_loss", "heldout_edges", "heldout_psnr_at_alpha_0")


@script
def main(
    trained: Path, pictures: Path, metrics: Path, summary: Path, curves: Path, held_out: Path, figure: Path,
    params: Params,
) -> None:  # fmt: skip
    """Write metrics and headline numbers (JSON), curves of training and checkpoints (CSV) and their figure (PNG)."""
    adain, device = params.adain, pick_device(params.hardware.device)
    training = pd.read_csv(trained / CURVES)
    found, table = evaluate(adain, device, trained, pictures)
    write_metrics(metrics, found)
    write_metrics(summary, {f"adain_{name}": found[name] for name in HEADLINES})
    write_csv(curves, training)
    write_csv(held_out, table)
    with style():
        save_figure(curves_figure(training, table, adain.train), figure)
