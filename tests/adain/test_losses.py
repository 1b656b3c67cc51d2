import pytest
import torch

from nnlab.adain.losses import content_loss, decoding_losses, encode, style_loss
from nnlab.adain.model import FEATURES
from nnlab.adain.statistics import mean_std
from nnlab.adain.train import initial_decoder
from nnlab.adain.weights import load_encoder


def test_content_loss_by_hand():
    assert content_loss(torch.tensor([[[[1.0, 2.0]]]]), torch.tensor([[[[3.0, 2.0]]]])).item() == 2.0


def test_style_loss_by_hand():
    features = {"relu1_1": torch.tensor([[[[0.0, 2.0]], [[1.0, 1.0]]]])}  # means 1, 1; deviations sqrt 2, 0
    target = {"relu1_1": (torch.tensor([4.0, 1.0]).view(1, 2, 1, 1), torch.tensor([2**0.5, 2.0]).view(1, 2, 1, 1))}
    assert style_loss(features, target).item() == pytest.approx((9 + 0) / 2 + (0 + 4) / 2, abs=0.01)


def test_one_pass_encodes_as_two_do(weight_files):
    encoder = load_encoder(weight_files[0])
    content, style = torch.rand(2, 2, 3, 32, 32)
    kept, statistics = encode(encoder, content, style)
    features = encoder(style)
    torch.testing.assert_close(kept, encoder.encode(content))
    assert kept.untyped_storage().nbytes() == kept.nbytes  # no view of both batches
    assert tuple(statistics) == FEATURES
    for layer, found in statistics.items():
        torch.testing.assert_close(found, mean_std(features[layer]))


def test_gradients_reach_the_decoder_alone(weight_files):
    encoder, decoder = load_encoder(weight_files[0]), initial_decoder(0)
    losses = decoding_losses(encoder, decoder, *encode(encoder, *torch.rand(2, 1, 3, 16, 16)))
    losses.sum().backward()
    assert losses.shape == (2,)
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in decoder.parameters())
    assert all(p.grad is None for p in encoder.parameters())
