"""Our mathematics against naoto0804/pytorch-AdaIN's own code, to 1e-4 in float32: see `tests/adain/reference.py`."""

import json

import pytest
import torch

from nnlab.adain.colors import to_pixels
from nnlab.adain.losses import content_loss, style_loss
from nnlab.adain.model import FEATURES, adain
from nnlab.adain.statistics import mean_std
from nnlab.adain.stylize import Moments, blend
from nnlab.adain.weights import load_decoder, load_encoder, write_reference_files
from nnlab.data.images import to_pil
from tests.adain.reference import (
    ALPHA,
    DECODER,
    ENCODER,
    GOLDEN,
    WEIGHTS,
    crops,
    images,
    probe,
    state,
)


@pytest.fixture(scope="module")
def networks(weight_files):
    """Our encoder and decoder, read from files in the reference's format."""
    return load_encoder(weight_files[0]), load_decoder(weight_files[1])


def same(name, tensor):
    """Compare with what the reference computed: every kept value to 1e-4, and both sums to 1e-4 per value."""
    expected, found = json.loads(GOLDEN.read_text())[name], probe(tensor)
    assert found["shape"] == expected["shape"]
    assert found["values"] == pytest.approx(expected["values"], rel=1e-4, abs=1e-4)
    for total in ("sum", "magnitude"):
        assert found[total] == pytest.approx(expected[total], abs=1e-4 * tensor.numel())


@pytest.mark.parametrize("layer", FEATURES)
def test_encoder_equals_the_references(networks, layer):
    with torch.no_grad():
        same(layer, networks[0](images()[0])[layer])


def test_mean_and_deviation_equal_the_references(networks):
    with torch.no_grad():
        mean, std = mean_std(networks[0].encode(images()[0]))
    same("mean", mean)
    same("std", std)


def test_losses_equal_the_references(networks):
    encoder, decoder = networks
    content, style = crops()
    with torch.no_grad():
        features, target = encoder(style), encoder.encode(content)
        found, wanted = [], {layer: mean_std(features[layer]) for layer in FEATURES}
        for alpha in (1, ALPHA):
            t = alpha * adain(target, features["relu4_1"]) + (1 - alpha) * target
            drawn = encoder(decoder(t))
            found += [content_loss(drawn["relu4_1"], t), style_loss(drawn, wanted)]
    same("losses", torch.stack(found))


@pytest.mark.parametrize(
    ("name", "styles", "alpha"),
    [("output", 1, 1.0), ("output_alpha", 1, ALPHA), ("output_two_styles", 2, ALPHA)],
)
def test_decoded_picture_equals_the_references(networks, name, styles, alpha):
    encoder, decoder = networks
    content, *all_styles = images()
    with torch.no_grad():
        features = encoder.encode(content)
        moments = [Moments(*mean_std(encoder.encode(style))) for style in all_styles[:styles]]
        scale, shift = blend(Moments(*mean_std(features)), moments, WEIGHTS[:styles], alpha)
        same(name, decoder(features * scale + shift))


def test_coral_equals_the_references():
    content, style, _ = (to_pixels(to_pil(picture)) for picture in images())
    same("coral", torch.from_numpy(style.in_colours_of(content).colours.reshape(53, 40, 3) / 255).permute(2, 0, 1))


def test_exported_weights_have_the_references_keys_and_give_its_picture(networks, tmp_path):
    encoder, decoder = networks
    write_reference_files(encoder, decoder, tmp_path)
    written = torch.load(tmp_path / "decoder.pth", weights_only=True)
    assert list(written) == list(state(DECODER, 2000))
    assert all(torch.equal(written[key], tensor) for key, tensor in state(DECODER, 2000).items())
    whole = torch.load(tmp_path / "vgg_normalised.pth", weights_only=True)
    assert {key: tuple(tensor.shape) for key, tensor in whole.items()} == whole_vgg()
    read = load_encoder(tmp_path / "vgg_normalised.pth"), load_decoder(tmp_path / "decoder.pth")
    with torch.no_grad():
        same("output", read[1](adain(*(read[0].encode(picture) for picture in images()[:2]))))


def whole_vgg():
    """Keys and shapes of the reference's encoder with all its layers: what its test.py loads, strictly."""
    later = [(32 + 3 * i, 512, 512, 3) for i in range(3)] + [(42 + 3 * i, 512, 512, 3) for i in range(4)]
    shapes = {}
    for position, channels_in, channels_out, kernel in [*ENCODER, *later]:
        shapes[f"{position}.weight"] = (channels_out, channels_in, kernel, kernel)
        shapes[f"{position}.bias"] = (channels_out,)
    return shapes
