import pytest
import torch

from nnlab.adain.model import FEATURES, Encoder
from nnlab.adain.weights import ENCODED, filter_means, normalised
from nnlab.vgg.weights import Weights
from tests.vgg.test_network import random_weights


@pytest.fixture(scope="module")
def weights():
    return random_weights("block4_conv1")


@pytest.fixture(scope="module")
def images():
    draws = torch.Generator().manual_seed(1)
    return [torch.rand(1, 3, 24, 32, generator=draws), torch.rand(1, 3, 33, 24, generator=draws)]


def test_every_live_filter_has_a_mean_activation_of_one(weights, images):
    means = filter_means(normalised(weights, filter_means(weights, images)), images)
    for layer in ENCODED:
        live = means[layer] > 0
        assert live.float().mean() > 0.5
        assert (means[layer][live] - 1).abs().max() < 1e-3


def test_the_function_is_unchanged_up_to_the_filters_scales(weights, images):
    means = filter_means(weights, images)
    plain = Encoder(weights)(images[0])[FEATURES[-1]]
    scaled = Encoder(normalised(weights, means))(images[0])[FEATURES[-1]]
    scale = torch.where(means["block4_conv1"] > 0, means["block4_conv1"], 1.0)[None, :, None, None].float()
    torch.testing.assert_close(scaled * scale, plain, rtol=1e-3, atol=1e-4)


def test_a_filter_that_nothing_excites_keeps_its_scale(weights, images):
    weight, bias = weights.convs["block1_conv1"]
    dead = bias.clone()
    dead[5] = -1e6
    changed = Weights(weights.kind, weights.mean, {**weights.convs, "block1_conv1": (weight, dead)})
    means = filter_means(changed, images)
    assert means["block1_conv1"][5] == 0
    assert torch.equal(normalised(changed, means).convs["block1_conv1"][0][5], weight[5])
