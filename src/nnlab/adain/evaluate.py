"""The evaluation stage: held-out losses of every checkpoint, the curves of the training, one figure of both."""

from pathlib import Path

import pandas as pd

from nnlab.adain.held_out import held_out_losses, held_out_pairs
from nnlab.adain.schedule import finish_start, milestones
from nnlab.adain.trained import HISTORY, milestone
from nnlab.adain.weights import load_decoder, load_encoder
from nnlab.data.pools import Pool
from nnlab.errors import UserError
from nnlab.figures import BLUE, RED, save_figure, style
from nnlab.params import AdainParams, AdainTrainParams
from nnlab.results import write_csv, write_metrics
from nnlab.training.device import pick_device

COLUMNS = ("iteration", "heldout_content_loss", "heldout_style_loss", "heldout_total_loss")
METRICS = ("iterations", *COLUMNS[1:])


def evaluate(adain: AdainParams, device: str, inputs: list[Path], outputs: list[Path]) -> None:
    """Judge the checkpoints.

    ``inputs``: encoder, content pool, style pool, the training's folder. ``outputs``: metrics and headline numbers
    (JSON), the training's curves (CSV), the held-out losses by checkpoint (CSV), and the figure of both (PNG).
    """
    encoder_file, content, painted, training = inputs
    metrics, summary, curves, held_out, figure = outputs
    settings, side = adain.train, adain.evaluate.side
    pairs = held_out_pairs(Pool(content, side), Pool(painted, side), settings.held_out_pairs, side, settings.seed)
    encoder, place = load_encoder(encoder_file), pick_device(device)
    rows: list[tuple[float, ...]] = []
    named: dict[str, float] = {}
    kept = milestones(settings)
    decoders = [load_decoder(milestone(training, percent)) for percent in kept]
    judged = held_out_losses(encoder, decoders, pairs, place)
    for (percent, iteration), losses in zip(kept.items(), judged):
        rows.append((iteration, *losses, settings.content_weight * losses[0] + settings.style_weight * losses[1]))
        named |= {f"{name}_{percent}": value for name, value in zip(METRICS, rows[-1])}
    last = dict(zip(METRICS, rows[-1]))
    history = _history(training / HISTORY, settings.max_iter)
    photos, paintings = pairs.distinct()
    judged_on = {"pairs": len(pairs.content), "held_out_photos": photos, "held_out_paintings": paintings}
    write_metrics(metrics, {**named, **last, **judged_on, "seed": settings.seed})
    write_metrics(summary, {f"adain_{name}": last[name] for name in COLUMNS[1:3]})
    write_csv(held_out, COLUMNS, rows)
    write_csv(curves, tuple(history.columns), history.itertuples(index=False))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    with style():
        save_figure(losses_figure(history, table, settings), figure)


def _history(path: Path, iterations: int) -> pd.DataFrame:
    try:
        history = pd.read_csv(path)
        if history.iteration.iloc[-1] != iterations or history.isna().any(axis=None):
            raise ValueError(f"they are not whole up to iteration {iterations}")
    except (OSError, ValueError, AttributeError, IndexError) as error:
        raise UserError(f"{path}: not the training's curves ({error}); run `dvc repro -f adain_train`") from None
    return history


def losses_figure(history: pd.DataFrame, judged: pd.DataFrame, settings: AdainTrainParams):  # noqa: ANN201 (a Figure)
    """Draw content and style loss by iteration, the checkpoints' held-out losses as marks, and the learning rate."""
    import matplotlib.pyplot as plt

    style_weight, turn = settings.style_weight, finish_start(settings)
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.6))
    kinds = (("content", 1.0, BLUE, "Content loss"), ("style", style_weight, RED, f"Style loss × {style_weight:g}"))
    for axis, (kind, weight, colour, title) in zip(axes, kinds):
        values = weight * history[f"{kind}_loss"]
        window = max(1, len(values) // 50)
        axis.plot(history.iteration, values, color=colour, alpha=0.25, linewidth=1, label="training, mean per row")
        smooth = values.rolling(window, center=True, min_periods=1).mean()
        axis.plot(history.iteration, smooth, color=colour, label="training, smoothed")
        marks = weight * judged[f"heldout_{kind}_loss"]
        axis.plot(judged.iteration, marks, "o", color="black", markersize=5, label="held-out pairs")
        if turn < settings.max_iter:
            axis.axvline(turn, color="grey", linestyle=":", label=f"crops of {settings.finish.crop} pixels from here")
        axis.set(title=title, xlabel="iteration", ylabel="loss", yscale="log")
        axis.yaxis.set_minor_formatter("{x:.3g}")
        axis.yaxis.set_major_formatter("{x:.3g}")
        axis.legend()
    axes[2].plot(history.iteration, history.learning_rate, color=BLUE)
    axes[2].set(title="Learning rate", xlabel="iteration", ylabel="learning rate", ylim=(0, None))
    figure.suptitle("AdaIN: training of the decoder")
    return figure
