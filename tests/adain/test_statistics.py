import pytest
import torch

from nnlab.adain.statistics import EPS, mean_std


def test_values_by_hand():
    features = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]])
    mean, std = mean_std(features)
    assert mean.item() == 3.0
    assert std.item() == pytest.approx(((4 + 1 + 0 + 9) / 3 + EPS) ** 0.5)  # unbiased: divided by 3, not by 4
    assert mean.shape == std.shape == (1, 1, 1, 1)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gradient_is_that_of_the_formula(layout):
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
