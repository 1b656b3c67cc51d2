import shutil

import pytest
import torch
import torch.nn.functional as F

from nnlab.adain import model
from nnlab.adain.model import DECODER_LAYERS, FEATURES, Decoder, adain, initial_decoder
from nnlab.adain.weights import load_encoder


@pytest.mark.parametrize(("height", "width"), [(16, 24), (9, 17), (33, 31)])
def test_shapes_round_up(weight_files, height, width):
    features = load_encoder(weight_files[0])(torch.rand(2, 3, height, width))
    assert tuple(features) == FEATURES
    for power, channels, name in zip(range(4), (64, 128, 256, 512), FEATURES):
        assert features[name].shape == (2, channels, -(-height // 2**power), -(-width // 2**power))
    assert Decoder()(features["relu4_1"]).shape == (2, 3, 8 * -(-height // 8), 8 * -(-width // 8))


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
    weights, toward = list(decoder.parameters()), torch.randn(2, 3, 8 * height, 8 * width, dtype=torch.float64)
    found, expected = decoder(features), plain_decoder(decoder, features)
    torch.testing.assert_close(found, expected)
    gradients = (torch.autograd.grad((image * toward).sum(), weights) for image in (found, expected))
    for ours, plain in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, plain)


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
