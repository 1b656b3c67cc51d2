"""The decoder: its convolutions, compiled and not, the one that is fitted instead of drawn; AdaIN by hand."""

import shutil

import pytest
import torch
import torch.nn.functional as F

from nnlab.adain import model
from nnlab.adain.model import DECODER_LAYERS, Decoder, Encoder, adain, initial_decoder, to_images
from nnlab.adain.start import closed_form_decoder
from nnlab.vgg.weights import read_weights


def plain_decoder(decoder: Decoder, x: torch.Tensor) -> torch.Tensor:
    """The decoder as the paper and the reference write it: every enlarged map is made, padded and convolved."""
    for name, _, _ in DECODER_LAYERS:
        layer = getattr(decoder, name)
        x = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), layer.weight, layer.bias)
        if name != "block1_conv1":
            x = F.relu(x)
        if name in ("block4_conv1", "block3_conv1", "block2_conv1"):
            x = F.interpolate(x, scale_factor=2, mode="nearest")
    return x


@pytest.mark.parametrize(("height", "width"), [(2, 2), (3, 5)])
def test_enlarged_maps_are_convolved_without_being_made(height, width):
    torch.manual_seed(0)
    decoder, features = Decoder().double(), torch.randn(2, 512, height, width, dtype=torch.float64)
    torch.testing.assert_close(decoder(features), plain_decoder(decoder, features))


def test_adain_by_hand():
    content, style = torch.tensor([[[[0.0, 2.0]]]]), torch.tensor([[[[1.0], [9.0]]]])
    assert adain(content, style).flatten().tolist() == pytest.approx([1, 9], abs=1e-3)


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiled_decoder_has_the_same_gradients(monkeypatch):
    """Of its last layers. A layout that the compiler took for granted and a kernel did not keep has broken it once."""
    monkeypatch.setattr(model, "DECODER_LAYERS", DECODER_LAYERS[-3:])
    decoder, features = initial_decoder(1), torch.rand(1, 128, 4, 5, generator=torch.Generator().manual_seed(1))
    found = []
    for draw in (decoder, torch.compile(decoder)):
        decoder.zero_grad()
        draw(features.contiguous(memory_format=torch.channels_last)).square().mean().backward()
        found.append([weights.grad.clone() for weights in decoder.parameters()])
    for plain, compiled in zip(*found):
        torch.testing.assert_close(compiled, plain, rtol=1e-3, atol=1e-6)


def test_the_fitted_start_gives_pictures_back_far_better_than_a_mean_colour_and_the_same_bits_each_time(weight_files):
    weights, colours = read_weights(weight_files[0]), torch.rand(8, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    crops = (255 * F.interpolate(colours, size=32, mode="bicubic").clamp(0, 1)).round().byte()  # soft blobs of colour
    images, fitted = to_images(crops, torch.float32), closed_form_decoder(weights, crops, seed=1)
    with torch.no_grad():
        features = Encoder(weights).encode(images)
        error, at_random = (
            (decoder(features) - images).square().mean(dim=(1, 2, 3)) for decoder in (fitted, initial_decoder(1))
        )
    of_mean_colour = images.var(dim=(2, 3), correction=0).mean(dim=1)
    assert (10 * error < of_mean_colour).all()
    assert (at_random > of_mean_colour).all()
    again = closed_form_decoder(weights, crops, seed=1)
    assert all(torch.equal(a, b) for a, b in zip(fitted.parameters(), again.parameters()))
