"""Convolutions by Winograd's method beside PyTorch's own in float64: results and all gradients."""

import pytest
import torch
import torch.nn.functional as F

from nnlab.vgg.winograd import BAND, FrozenConv, conv3x3, kernels


def deviation(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Largest difference, in deviations of the expected values."""
    assert found.shape == expected.shape
    return ((found - expected).abs().max() / expected.std()).item()


@pytest.mark.parametrize(
    ("shape", "outputs"),
    [((2, 128, 8, 12), 64), ((1, 64, 7, 13), 128), ((3, 64, 1, 2), 128), ((1, 64, BAND // 4, 64), 128)],
)
@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 2e-5), (torch.bfloat16, 0.3)])
def test_results_and_gradients_are_those_of_a_convolution(
    shape: tuple[int, ...], outputs: int, dtype: torch.dtype, bound: float
) -> None:
    """The sides are whole tiles, odd, smaller than one tile, and more than a band."""
    draws = torch.Generator().manual_seed(0)
    batch, channels, height, width = shape
    values = [
        torch.randn(batch, channels, height + 2, width + 2, generator=draws),
        torch.randn(outputs, channels, 3, 3, generator=draws) / (9 * channels) ** 0.5,
        torch.randn(outputs, generator=draws),
    ]
    towards = torch.randn(batch, outputs, height, width, generator=draws)
    given = [value.to(dtype, copy=True).requires_grad_() for value in values]
    found = conv3x3(given[0], kernels(given[1], dtype), given[2])
    exact = [value.detach().double().requires_grad_() for value in given]
    expected = F.conv2d(*exact)
    assert deviation(found, expected) < bound
    gradients = torch.autograd.grad(found, given, towards.to(dtype))
    exact = torch.autograd.grad(expected, exact, towards.double())
    assert max(deviation(one, other) for one, other in zip(gradients, exact)) < bound


@pytest.mark.parametrize("padding_mode", ["zeros", "reflect"])
def test_a_frozen_layer_gives_what_the_plain_one_gives_also_a_gradient_after_inference(padding_mode: str) -> None:
    torch.manual_seed(0)
    plain = torch.nn.Conv2d(64, 128, 3, padding=1, padding_mode=padding_mode).requires_grad_(False)
    frozen = FrozenConv(64, 128, 3, padding=1, padding_mode=padding_mode).requires_grad_(False)
    frozen.load_state_dict(plain.state_dict())
    x = torch.randn(1, 64, 19, 22)
    with torch.inference_mode():
        assert deviation(frozen(x), plain(x).double()) < 2e-5
    assert frozen.kernels is not None, "it did not take Winograd's way"
    one, other = (torch.autograd.functional.vjp(layer, x, torch.ones(1, 128, 19, 22))[1] for layer in (frozen, plain))
    assert deviation(one, other.double()) < 2e-5
