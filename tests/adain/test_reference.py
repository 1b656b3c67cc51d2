"""Our mathematics against naoto0804/pytorch-AdaIN's own code, to 1e-4 in float32: see `tests/adain/reference.py`."""

import json

import numpy as np
import pytest
import torch

from nnlab.adain.colors import to_pixels
from nnlab.adain.model import FEATURES, adain
from nnlab.adain.statistics import mean_std
from nnlab.adain.stylize import Moments, blend
from nnlab.adain.weights import load_decoder, load_encoder
from nnlab.cli import main
from nnlab.data.images import to_pil
from tests.adain.reference import ALPHA, DECODER, GOLDEN, WEIGHTS, WHOLE_ENCODER, images, probe, state


def same(name, tensor):
    """Compare with what the reference computed: every kept value to 1e-4, and both sums to 1e-4 per value."""
    expected, found = json.loads(GOLDEN.read_text())[name], probe(tensor)
    assert found["shape"] == expected["shape"]
    assert found["values"] == pytest.approx(expected["values"], rel=1e-4, abs=1e-4)
    for total in ("sum", "magnitude"):
        assert found[total] == pytest.approx(expected[total], abs=1e-4 * tensor.numel())


def test_encoder_mean_and_deviation_equal_the_references(encoder):
    features = encoder(images()[0])
    for block, layer in enumerate(FEATURES, 1):
        same(f"relu{block}_1", features[layer])
    for name, values in zip(("mean", "std"), mean_std(features[FEATURES[-1]])):
        same(name, values)


@pytest.mark.parametrize(
    ("name", "styles", "alpha"), [("output", 1, 1.0), ("output_alpha", 1, ALPHA), ("output_two_styles", 2, ALPHA)]
)
def test_decoded_picture_equals_the_references(encoder, decoder, name, styles, alpha):
    content, *all_styles = images()
    with torch.no_grad():
        features = encoder.encode(content)
        moments = [Moments(*mean_std(encoder.encode(style)), np.eye(3)) for style in all_styles[:styles]]
        scale, shift = blend(Moments(*mean_std(features), np.eye(3)), moments, WEIGHTS[:styles], alpha)
        same(name, decoder(features * scale + shift))


def test_coral_equals_the_references():
    content, style, _ = (to_pixels(to_pil(picture)) for picture in images())
    same("coral", torch.from_numpy(style.in_colours_of(content).colours.reshape(53, 40, 3) / 255).permute(2, 0, 1))


def test_exported_weights_have_the_references_keys_and_give_its_picture(weight_files, tmp_path, capsys):
    encoder, decoder = map(str, weight_files)
    assert main(["export", "--encoder", encoder, "--decoder", decoder, "--output", str(tmp_path)]) == 0
    files = [tmp_path / "vgg_normalised.pth", tmp_path / "decoder.pth"]
    assert capsys.readouterr().out.split() == list(map(str, files))
    whole, written = (torch.load(file, weights_only=True) for file in files)
    assert list(written) == list(state(DECODER, 2000))
    assert all(torch.equal(written[key], tensor) for key, tensor in state(DECODER, 2000).items())
    expected = state(WHOLE_ENCODER, 1000)  # its test.py loads that one, strictly
    assert {key: tensor.shape for key, tensor in whole.items()} == {key: expected[key].shape for key in expected}
    read = load_encoder(files[0]), load_decoder(files[1])
    with torch.no_grad():
        same("output", read[1](adain(*(read[0].encode(picture) for picture in images()[:2]))))
