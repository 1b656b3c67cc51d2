"""Losses: values computed by hand, the paper's formulas, gradients by autograd of the plain formula."""

import pytest
import torch
from torchvision.transforms.v2.functional import rgb_to_grayscale

from nnlab.gatys.losses import Objective, content_loss, gram, layer_weights, style_loss, total_variation
from nnlab.vgg.network import VGG19
from tests.gatys.conftest import make_job


def test_values_by_hand() -> None:
    features = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).view(1, 2, 1, 2)  # two channels, two positions
    assert torch.allclose(gram(features), torch.tensor([[1 + 4, 3 + 8], [3 + 8, 9 + 16]]) / 4)  # / (C M)
    assert content_loss(features, torch.tensor([1.0, 0.0, 0.0, 1.0]).view(1, 2, 1, 2)) == (0 + 4 + 9 + 9) / 4
    image = torch.tensor([[0.0, 1.0], [0.0, 0.5]]).expand(1, 3, 2, 2)
    assert total_variation(image) == pytest.approx((1 + 0.5) / 2 + (0 + 0.5) / 2)


def test_style_loss_is_equation_4_of_the_paper_up_to_the_weight_per_layer() -> None:
    x, y = torch.rand(2, 1, 8, 5, 6, dtype=torch.float64)
    f, p = x.flatten(2)[0], y.flatten(2)[0]
    positions, channels = 30, 8
    paper = ((f @ f.T - p @ p.T) ** 2).sum() / (4 * channels**2 * positions**2)
    assert style_loss(gram(x), gram(y)).double() == pytest.approx(float(4 * paper / channels**2), rel=1e-5)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_gradient_of_gram_is_that_of_the_formula(memory_format: torch.memory_format) -> None:
    x = torch.rand(1, 4, 3, 5).contiguous(memory_format=memory_format).requires_grad_()
    weights = torch.rand(4, 4)  # not symmetric
    (found,) = torch.autograd.grad((gram(x) * weights).sum(), x)
    flat = x.flatten(2)[0]
    (expected,) = torch.autograd.grad((flat @ flat.T / x.numel() * weights).sum(), x)
    assert torch.allclose(found, expected, atol=1e-6)


def test_gram_of_bfloat16_is_summed_in_float32() -> None:
    x = torch.rand(1, 4, 100, 100).bfloat16()
    assert gram(x).dtype == torch.float32
    flat = x.double().flatten(2)[0]
    assert torch.allclose(gram(x).double(), flat @ flat.T / x.numel(), rtol=1e-5)


def test_the_objective_is_the_weighted_sum_of_its_terms(vgg: VGG19) -> None:
    content, style, image = torch.rand(3, 1, 3, 48, 64).unbind()
    changes = {"style_layer_weights": {"block1_conv1": 3.0}, "content_layer_weights": {"conv2_1": 0.5}}
    jobs = make_job(tv_weight=1.0), make_job(tv_weight=2.0, **changes)
    plain, weighted = (Objective(vgg, content, style, job)(image) for job in jobs)
    factors = {"content.block2_conv1": 0.5, "style.block1_conv1": 3.0, "style.block2_conv1": 1.0, "tv": 2.0}
    assert plain.keys() == weighted.keys() == factors.keys()
    for name, factor in factors.items():
        assert float(weighted[name]) == pytest.approx(factor * float(plain[name]), rel=1e-5)
    features, target = vgg(image)["block2_conv1"], vgg(content)["block2_conv1"]
    assert float(plain["content.block2_conv1"]) == pytest.approx(0.01 * float(content_loss(features, target)))
    keeping, luminance = Objective(vgg, content, style, make_job(preserve_color=True)), rgb_to_grayscale(content)
    assert float(keeping(luminance)["content.block2_conv1"]) == 0


def test_layers_of_weight_zero_are_left_out(vgg: VGG19) -> None:
    job = make_job(content_weight=0.0, style_layer_weights={"block2_conv1": 0.0, "block1_conv1": 0.5})
    assert layer_weights(job) == ({}, {"block1_conv1": 5.0})
    content = torch.rand(1, 3, 48, 64)
    assert set(Objective(vgg, content, content, job)(content)) == {"style.block1_conv1"}
