"""The decoders judged on pictures that nothing was trained on: the paper's losses, edges, and the photo at alpha 0."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.ticker import LogFormatter

from nnlab.adain.data import Pair, held_out_pairs
from nnlab.adain.losses import content_loss, statistics, style_loss
from nnlab.adain.model import FEATURES, Decoder, Encoder, adain_statistics, to_images
from nnlab.adain.statistics import mean_std
from nnlab.adain.weights import ENCODER, checkpoints, iterations, load_decoder, load_encoder
from nnlab.data.gallery import HELD_OUT, PAINTINGS, PHOTOS
from nnlab.data.images import list_images
from nnlab.figures import BLUE, RED
from nnlab.measures import edges, psnr_db
from nnlab.params import AdainParams, AdainTrainParams

MEASURES = ("content_loss", "style_loss", "edges", "psnr_at_alpha_0")  # the last one in dB, the others without a unit


def evaluate(
    adain: AdainParams, device: torch.device, trained: Path, pictures: Path
) -> tuple[dict[str, float], pd.DataFrame]:
    """Metrics of adain.json, and a table with a row per decoder in `trained`: its iteration, and held-out means.

    Metrics of a checkpoint have its percentage as suffix, those of the last one stand without, too.
    """
    settings = adain.train
    pairs = list(held_out_pairs(pictures, adain.evaluate))
    found = checkpoints(trained)
    judged = judge(load_encoder(trained / ENCODER), [load_decoder(path) for path in found.values()], pairs, device)
    table = judged.add_prefix("heldout_")
    total = settings.content_weight * table.heldout_content_loss + settings.style_weight * table.heldout_style_loss
    table.insert(2, "heldout_total_loss", total)
    table.insert(0, "iteration", [iterations(path) for path in found.values()])
    metrics: dict[str, float] = {"pairs": len(pairs), "seed": settings.seed}
    metrics |= {f"held_out_{kind}": len(list_images(pictures / kind / HELD_OUT)) for kind in (PHOTOS, PAINTINGS)}
    for percent, row in zip(found, table.rename(columns={"iteration": "iterations"}).to_dict("records")):
        metrics |= {f"{name}_{percent}": value for name, value in row.items()} | row
    return metrics, table


@torch.no_grad()
def judge(encoder: Encoder, decoders: list[Decoder], pairs: list[Pair], device: torch.device) -> pd.DataFrame:
    """Means of the `MEASURES` over all pairs, a row per decoder; float32, results clipped to [0, 1] as pictures are."""
    for module in (encoder, *decoders):
        module.to(device, torch.float32).to(memory_format=torch.channels_last)
    found: list[list[tuple[float, ...]]] = []  # by pair, by decoder
    for pair in pairs:
        photo, painting = (to_images(crops.to(device), torch.float32) for crops in pair)
        features, target = encoder.encode(photo), statistics(encoder(painting))
        wanted = adain_statistics(features, mean_std(features), target[FEATURES[-1]])
        found.append([])
        for decoder in decoders:
            drawn, again = decoder(wanted).clamp(0, 1), decoder(features).clamp(0, 1)
            made = encoder(drawn)
            losses = content_loss(made[FEATURES[-1]], wanted).item(), style_loss(made, target).item()
            seen, shown = (picture[0].permute(1, 2, 0).cpu().numpy() for picture in (photo, drawn))
            found[-1].append((*losses, edges(seen, shown), psnr_db(again, photo)))
    return pd.DataFrame(np.mean(found, axis=0), columns=MEASURES)


def curves_figure(curves: pd.DataFrame, judged: pd.DataFrame, settings: AdainTrainParams) -> plt.Figure:
    """Draw content and style loss by iteration with the checkpoints' held-out losses as marks, and edges and PSNR."""
    figure, axes = plt.subplots(2, 2, figsize=(9, 6.4))
    kinds = (("content", 1.0, BLUE, "Content loss"), ("style", settings.style_weight or 1.0, RED, "Style loss"))
    marker = "." if len(curves) == 1 else None
    for axis, (kind, weight, colour, title) in zip(axes[0], kinds):
        values = weight * curves[f"{kind}_loss"]
        smooth = values.rolling(max(1, len(values) // 50), center=True, min_periods=1).mean()
        each = f"training, mean of {settings.log_every} steps"
        axis.plot(curves.iteration, values, color=colour, alpha=0.25, linewidth=1, marker=marker, label=each)
        axis.plot(curves.iteration, smooth, color=colour, label="the same, smoothed")
        marks = weight * judged[f"heldout_{kind}_loss"]
        axis.plot(judged.iteration, marks, "o", color="black", markersize=5, label="held-out pairs")
        factor = "" if weight == 1 else f" × {weight:g}"
        axis.set(title=title + factor, xlabel="iteration", ylabel="loss", yscale="log")
        axis.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(3, 1)))  # none where decades are many
        axis.yaxis.set_major_formatter("{x:g}")
        axis.legend()
    below = (("edges", "Held-out pairs: edges (1: the photo itself)", "correlation of gradients"),
             ("psnr_at_alpha_0", "Held-out photos: what alpha 0 gives back", "PSNR (dB)"))  # fmt: skip
    for axis, (measure, title, label) in zip(axes[1], below):
        axis.plot(judged.iteration, judged[f"heldout_{measure}"], "o-", color="black", markersize=5)
        axis.set(title=title, xlabel="iteration", ylabel=label)
    return figure
