"""Statistics of features, and the losses, computed by hand."""

import pytest
import torch

from nnlab.adain.losses import PIXELS, SQUARE, color_loss, content_loss, mixed, statistics, structure_loss, style_loss
from nnlab.adain.model import FEATURES
from nnlab.adain.statistics import EPS, mean_std


def test_mean_and_deviation_by_hand():
    mean, std = mean_std(torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]]))
    assert mean.item() == 3.0
    assert std.item() == pytest.approx(((4 + 1 + 0 + 9) / 3 + EPS) ** 0.5)  # unbiased: divided by 3, not by 4
    assert mean.shape == std.shape == (1, 1, 1, 1)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_their_gradient_is_that_of_the_formula(layout):
    torch.manual_seed(0)
    features = torch.randn(2, 3, 4, 5, dtype=torch.float64).to(memory_format=layout).requires_grad_()
    assert torch.autograd.gradcheck(mean_std, (features,))


def test_bfloat16_features_are_summed_in_float32():
    torch.manual_seed(0)
    features = (100 + torch.randn(1, 2, 64, 64)).bfloat16()
    mean, std = mean_std(features)
    variance, expected = torch.var_mean(features.double(), dim=(2, 3), keepdim=True)
    assert mean.dtype == std.dtype == torch.float32
    torch.testing.assert_close(mean.double(), expected, rtol=1e-6, atol=0)
    torch.testing.assert_close(std.double(), (variance + EPS).sqrt(), rtol=1e-4, atol=0)


def test_constant_features_have_the_smallest_deviation_and_a_finite_gradient():
    features = torch.full((1, 1, 3, 3), 2.0, requires_grad=True)
    _, std = mean_std(features)
    std.sum().backward()
    assert std.item() == pytest.approx(EPS**0.5)
    assert features.grad.isfinite().all()


def row(*values):
    """Features of one channel and one row."""
    return torch.tensor([[[values]]], dtype=torch.float32)


def moments(mean, std):
    return torch.tensor(mean).view(1, -1, 1, 1), torch.tensor(std).view(1, -1, 1, 1)


def test_content_loss_and_its_gradient_by_hand():
    features = row(1, 2).requires_grad_()
    loss = content_loss(features, row(3, 2))
    loss.backward()
    assert loss.item() == pytest.approx(2.0)
    assert features.grad.flatten().tolist() == [-2, 0]


def test_style_loss_by_hand():
    features = {"relu1_1": torch.tensor([[[[0.0, 2.0]], [[1.0, 1.0]]]])}  # means 1, 1; deviations sqrt 2, 0
    target = {"relu1_1": moments([4.0, 1.0], [2**0.5, 2.0])}
    assert style_loss(features, target).item() == pytest.approx((9 + 0) / 2 + (0 + 4) / 2, abs=0.01)
    more = style_loss({**features, "relu2_1": row(0, 2)}, {**target, "relu2_1": moments([1.0], [0.0])})
    assert more.item() == pytest.approx(6.5 + 2, abs=0.01)  # layers are added up


def test_color_loss_by_hand():
    """0.25 and 0.75 with half their deviation around 0.5 are 0.375 and 0.625; within a square, all is free."""
    square = torch.ones(1, 1, SQUARE, SQUARE)
    content = {PIXELS: torch.kron(row(0.25, 0.75), square)}
    own = statistics(content)
    half = {PIXELS: (own[PIXELS][0], own[PIXELS][1] / 2)}
    images = torch.kron(row(0.375, 0.725), square) + torch.tensor([0.1, -0.1]).repeat(SQUARE)
    assert color_loss(images, content, own, half).item() == pytest.approx(0.1**2 / 2, rel=1e-3)


def test_structure_loss_by_hand():
    """The content (0, 2) with mean 5 and twice its deviation is (3, 7); the three layers below relu4_1 count."""
    content = {layer: row(0, 2) for layer in FEATURES}
    target = {layer: moments([5.0], [2 * 2**0.5]) for layer in FEATURES}
    features = dict(zip(FEATURES, (row(3, 8), row(3, 7), row(1, 7), row(100, 100))))
    own = statistics(content)
    assert structure_loss(features, content, own, target).item() == pytest.approx(0.5 + 0 + 2, abs=1e-3)
    assert structure_loss(content, content, own, own).item() == pytest.approx(0, abs=1e-6)


def test_statistics_are_mixed_by_hand():
    own, other = ({layer: moments([mean], [std]) for layer in FEATURES} for mean, std in ((1.0, 2.0), (5.0, 4.0)))
    for alpha, expected in ((0, (1, 2)), (0.25, (2, 2.5)), (1, (5, 4))):
        found = mixed(own, other, torch.tensor(alpha))
        assert list(found) == list(FEATURES)
        assert all((mean.item(), std.item()) == expected for mean, std in found.values())
