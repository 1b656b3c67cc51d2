"""The decoders judged on pictures that nothing was trained on: the paper's losses, edges, and the photo at alpha 0."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from nnlab.adain.losses import content_loss, statistics, style_loss
from nnlab.adain.model import FEATURES, Decoder, Encoder, adain_statistics, to_images
from nnlab.adain.pairs import Pair, held_out_pairs
from nnlab.adain.weights import load_decoder, load_encoder
from nnlab.data.gallery import HELD_OUT, PAINTINGS, PHOTOS
from nnlab.data.images import list_images
from nnlab.params import AdainParams


class Judgement(NamedTuple):
    """Means over pairs; `psnr_at_alpha_0` is in dB, the others have no unit."""

    content_loss: float
    style_loss: float
    edges: float
    psnr_at_alpha_0: float


def evaluate(
    adain: AdainParams, device: torch.device, encoder: Path, pictures: Path, decoders: Sequence[Path]
) -> tuple[dict[str, float], pd.DataFrame]:
    """Return the metrics of adain.json, and a table with a row per decoder; all but `iteration` are held-out means.

    Metrics of a checkpoint have its percentage as suffix, those of the last one stand without, too.
    """
    settings = adain.train
    pairs = list(held_out_pairs(pictures, adain.evaluate))
    judged = judge(load_encoder(encoder), [load_decoder(path) for path in decoders], pairs, device)
    table = pd.DataFrame(judged).add_prefix("heldout_")
    total = settings.content_weight * table.heldout_content_loss + settings.style_weight * table.heldout_style_loss
    table.insert(2, "heldout_total_loss", total)
    table.insert(0, "iteration", list(settings.milestones.values()))
    photos, paintings = (len(list_images(pictures / kind / HELD_OUT)) for kind in (PHOTOS, PAINTINGS))
    metrics: dict[str, float] = {"pairs": len(pairs), "held_out_photos": photos, "held_out_paintings": paintings}
    metrics["seed"] = settings.seed
    for percent, row in zip(settings.milestones, table.to_dict("records")):
        iterations = {"iterations": row.pop("iteration")}
        metrics |= {f"{name}_{percent}": value for name, value in (iterations | row).items()} | iterations | row
    return metrics, table


@torch.no_grad()
def judge(encoder: Encoder, decoders: list[Decoder], pairs: list[Pair], device: torch.device) -> list[Judgement]:
    """Judge decoders in float32, each on all pairs: results are clipped to [0, 1] as pictures are."""
    for module in (encoder, *decoders):
        module.to(device, torch.float32).to(memory_format=torch.channels_last)
    found: list[list[tuple[float, ...]]] = [[] for _ in decoders]
    for pair in pairs:
        photo, painting = (to_images(crops.to(device), torch.float32) for crops in pair)
        features, target = encoder(photo)[FEATURES[-1]], statistics(encoder(painting))
        wanted = adain_statistics(features, *target[FEATURES[-1]])
        for scores, decoder in zip(found, decoders):
            drawn, again = decoder(wanted).clamp(0, 1), decoder(features).clamp(0, 1)
            made = encoder(drawn)
            losses = content_loss(made[FEATURES[-1]], wanted), style_loss(made, target)
            scores.append((*(float(loss) for loss in losses), edges(photo, drawn), psnr(photo, again)))
    return [Judgement(*np.mean(scores, axis=0).tolist()) for scores in found]


def edges(photo: Tensor, result: Tensor, block: int = 4) -> float:
    """Correlation of the gradient magnitudes of two pictures (1, 3, H, W), grey, averaged over blocks of pixels.

    1 for the photo itself; halos, doubled contours and smeared shapes lower it.
    """
    return float(torch.corrcoef(torch.stack([_gradients(photo, block), _gradients(result, block)]))[0, 1])


def psnr(photo: Tensor, result: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of pictures in [0, 1]."""
    return float(-10 * torch.log10(F.mse_loss(photo, result)))


def _gradients(image: Tensor, block: int) -> Tensor:
    grey = F.avg_pool2d(image.mean(1, keepdim=True), block)
    across, down = grey[..., :-1, 1:] - grey[..., :-1, :-1], grey[..., 1:, :-1] - grey[..., :-1, :-1]
    return torch.hypot(across, down).flatten()
