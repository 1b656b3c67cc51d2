"""The curves of a training, and its checkpoints on held-out pictures, as one figure."""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd

from nnlab.errors import UserError
from nnlab.figures import BLUE, PALETTE, RED
from nnlab.params import AdainTrainParams


def read_curves(path: Path, iterations: int) -> pd.DataFrame:
    """The table that the training wrote: iteration, content_loss, style_loss, learning_rate; UserError if not whole."""
    try:
        curves = pd.read_csv(path)
        if curves.iteration.iloc[-1] != iterations or curves.isna().any(axis=None):
            raise ValueError(f"they are not whole up to iteration {iterations}")
    except (OSError, ValueError, AttributeError, IndexError) as error:
        raise UserError(f"{path}: not the training's curves ({error}); run `dvc repro -f adain_train`") from None
    return curves


def curves_figure(curves: pd.DataFrame, judged: pd.DataFrame, settings: AdainTrainParams) -> plt.Figure:
    """Draw content and style loss by iteration with the checkpoints' held-out losses as marks, and edges and PSNR."""
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.6))
    kinds = (("content", 1.0, BLUE, "Content loss"), ("style", settings.style_weight, RED, "Style loss"))
    for axis, (kind, weight, colour, title) in zip(axes, kinds):
        values = weight * curves[f"{kind}_loss"]
        smooth = values.rolling(max(1, len(values) // 50), center=True, min_periods=1).mean()
        axis.plot(curves.iteration, values, color=colour, alpha=0.25, linewidth=1, label="training, all steps")
        axis.plot(curves.iteration, smooth, color=colour, label="training, smoothed")
        marks = weight * judged[f"heldout_{kind}_loss"]
        axis.plot(judged.iteration, marks, "o", color="black", markersize=5, label="held-out pairs")
        factor = "" if weight == 1 else f" × {weight:g}"
        axis.set(title=title + factor, xlabel="iteration", ylabel="loss", yscale="log")
        axis.yaxis.set_minor_formatter("{x:.3g}")
        axis.yaxis.set_major_formatter("{x:.3g}")
        axis.legend()
    _quality(axes[2], judged)
    return figure


def _quality(axis: Any, judged: pd.DataFrame) -> None:
    """Edges on the left axis, PSNR at alpha 0 on the right one."""
    right = axis.twinx()
    lines = axis.plot(judged.iteration, judged.heldout_edges, "o-", color=PALETTE[2], label="edges kept (1: all)")
    lines += right.plot(
        judged.iteration, judged.heldout_psnr_at_alpha_0, "s--", color=PALETTE[3], label="photo at alpha 0 (dB)"
    )
    axis.set(title="Held-out pairs", xlabel="iteration", ylabel="correlation of gradients")
    right.set(ylabel="PSNR (dB)")
    right.grid(visible=False)
    right.spines.right.set_visible(True)
    axis.legend(handles=lines)
