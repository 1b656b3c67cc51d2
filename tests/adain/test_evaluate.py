"""The decoders judged on held-out pictures."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from nnlab.adain.data import held_out_pairs
from nnlab.adain.model import adain, initial_decoder
from nnlab.adain.weights import save_decoder, save_encoder
from nnlab.measures import edges, psnr_db
from nnlab.params import AdainEvaluateParams, load_params
from nnlab.vgg.weights import read_weights
from stages import adain_evaluate
from tests.adain.training import make_held_out, plain_losses, write_params


def grey(*rows):
    return np.repeat(np.array(rows)[..., None], 3, axis=2) / 5


def test_edges_by_hand():
    photo, drawn = grey([0, 3, 3], [4, 4, 3], [0, 0, 0]), grey([0, 0, 0], [1, 0, 0], [0, 0, 0])
    # to the right (3, 0, 0, -1) and (0, 0, -1, 0), downwards (4, 1, -4, -4) and (1, 0, -1, 0)
    expected = np.corrcoef([5, 1, 4, 17**0.5], [1, 0, 2**0.5, 0])[0, 1]
    assert edges(photo, drawn, block=1) == pytest.approx(expected, abs=1e-6)
    large = (picture.repeat(4, axis=0).repeat(4, axis=1) for picture in (photo, drawn))
    assert edges(*large) == pytest.approx(expected, abs=1e-6)
    assert edges(photo, 0.5 * photo + 0.1, block=1) == pytest.approx(1)  # fainter, but where they were
    assert edges(photo, np.full_like(photo, 0.3), block=1) == 0


def test_every_held_out_photo_once_with_the_paintings_in_turn(tmp_path):
    for kind, count, sign in (("photos", 5, 0), ("paintings", 2, 100)):
        (tmp_path / kind / "held_out").mkdir(parents=True)
        for number in range(count):
            picture = Image.new("RGB", (120, 40))  # black beside its middle square
            picture.paste((sign + number,) * 3, (30, 0, 90, 40))
            picture.save(tmp_path / kind / f"held_out/{number}.png")
    pairs = list(held_out_pairs(tmp_path, AdainEvaluateParams(content_side=40, style_side=36)))
    assert {content.shape for content, _ in pairs} == {(1, 3, 40, 40)}
    assert {painting.shape for _, painting in pairs} == {(1, 3, 36, 36)}
    shown = [tuple(side.unique().tolist() for side in pair) for pair in pairs]
    assert shown == [([0], [100]), ([1], [101]), ([2], [100]), ([3], [101]), ([4], [100])]


def test_the_stage_judges_every_decoder_by_means_over_the_pairs(weight_files, encoder, decoder, tmp_path):
    """Three drawn decoders and the fixture's."""
    make_held_out(tmp_path / "pictures", photos="012")
    trained = tmp_path / "trained"
    for network, percent in zip([*map(initial_decoder, range(3)), decoder], (10, 50, 80, 100)):
        save_decoder(network, trained / f"decoder_{percent}.safetensors", {"iteration": str(99 * percent)})
    save_encoder(read_weights(weight_files[0]), trained / "encoder.safetensors", {})
    curves = trained / "curves.csv"
    curves.write_text("iteration,content_loss,style_loss,learning_rate\n6,3,2,0.1\n12,2,1,0.1\n")
    changed = {"train.max_iter": 10_000, "train.style_weight": 7.0}
    changed |= {"evaluate.content_side": 40, "evaluate.style_side": 32}
    params = load_params(write_params(tmp_path, **changed))
    outputs = [tmp_path / name for name in ("metrics.json", "summary.json", "plot.csv", "held_out.csv", "curves.png")]
    adain_evaluate.main(trained, tmp_path / "pictures", *outputs, params)

    metrics, summary = (json.loads(path.read_text()) for path in outputs[:2])
    table = pd.read_csv(tmp_path / "held_out.csv")
    names = ["content_loss", "style_loss", "total_loss", "edges", "psnr_at_alpha_0"]
    assert list(table) == ["iteration", *(f"heldout_{name}" for name in names)]
    assert table.iteration.tolist() == [990, 4950, 7920, 9900]
    last = {"iterations", *(f"heldout_{name}" for name in names)}
    kinds = {"pairs", "held_out_photos", "held_out_paintings", "seed"}
    assert set(metrics) == kinds | last | {f"{name}_{n}" for name in last for n in (10, 50, 80, 100)}
    assert (metrics["pairs"], metrics["seed"], metrics["iterations_50"]) == (3, params.adain.train.seed, 4950)
    assert all(metrics[name] == metrics[f"{name}_100"] for name in last)
    for percent, row in zip((10, 50, 80, 100), table.to_dict("records")):
        assert all(metrics[f"{name}_{percent}"] == row[name] for name in last - {"iterations"})
    total = table.heldout_content_loss + 7 * table.heldout_style_loss
    assert table.heldout_total_loss.tolist() == pytest.approx(total.tolist(), rel=1e-4)
    assert set(summary.items()) <= {(f"adain_{name}", value) for name, value in metrics.items()}
    assert (tmp_path / "plot.csv").read_text() == curves.read_text()
    assert Image.open(tmp_path / "curves.png").width > 600

    found = []
    for pair in held_out_pairs(tmp_path / "pictures", params.adain.evaluate):
        content, style = (side.float() / 255 for side in pair)
        with torch.no_grad():
            features = encoder.encode(content)
            drawn = decoder(adain(features, encoder.encode(style))).clamp(0, 1)
            losses = plain_losses(encoder, lambda _, drawn=drawn: drawn, content, style)
            again = decoder(features).clamp(0, 1)
        kept = edges(*(picture[0].permute(1, 2, 0).numpy() for picture in (content, drawn)))
        found.append([*losses, kept, psnr_db(again, content)])
    expected = dict(zip(("content_loss", "style_loss", "edges", "psnr_at_alpha_0"), np.mean(found, axis=0)))
    assert {name: metrics[f"heldout_{name}"] for name in expected} == pytest.approx(expected, rel=1e-4)
