"""The losses, computed by hand."""

import pytest
import torch

from nnlab.adain.losses import content_loss, mixed, pixel_loss, statistics, structure_loss, style_loss
from nnlab.adain.model import FEATURES


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


def test_pixel_loss_by_hand():
    assert pixel_loss(row(0, 1), row(0.5, 1)).item() == pytest.approx(0.125)


def test_style_loss_by_hand():
    features = {"relu1_1": torch.tensor([[[[0.0, 2.0]], [[1.0, 1.0]]]])}  # means 1, 1; deviations sqrt 2, 0
    target = {"relu1_1": moments([4.0, 1.0], [2**0.5, 2.0])}
    assert style_loss(features, target).item() == pytest.approx((9 + 0) / 2 + (0 + 4) / 2, abs=0.01)
    both = {"relu1_1": features["relu1_1"], "relu2_1": row(0, 2)}
    more = style_loss(both, {**target, "relu2_1": moments([1.0], [0.0])})  # layers are added up
    assert more.item() == pytest.approx(6.5 + 2, abs=0.01)


def test_structure_loss_by_hand():
    """The content (0, 2) with mean 5 and twice its deviation is (3, 7); the three layers below relu4_1 count."""
    content = {layer: row(0, 2) for layer in FEATURES}
    target = {layer: moments([5.0], [2 * 2**0.5]) for layer in FEATURES}
    features = {"relu1_1": row(3, 8), "relu2_1": row(3, 7), "relu3_1": row(1, 7), "relu4_1": row(100, 100)}
    assert structure_loss(features, content, target).item() == pytest.approx(0.5 + 0 + 2, abs=1e-3)
    assert structure_loss(content, content, statistics(content)).item() == pytest.approx(0, abs=1e-6)


def test_statistics_are_mixed_by_hand():
    own, other = ({layer: moments([mean], [std]) for layer in FEATURES} for mean, std in ((1.0, 2.0), (5.0, 4.0)))
    for alpha, expected in ((0, (1, 2)), (0.25, (2, 2.5)), (1, (5, 4))):
        found = mixed(own, other, alpha)
        assert list(found) == list(FEATURES)
        assert all((mean.item(), std.item()) == expected for mean, std in found.values())
