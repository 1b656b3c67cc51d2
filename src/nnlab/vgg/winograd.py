"""3x3 convolutions on a CPU with a quarter of the multiplications: Winograd's F(4x4, 3x3).

PyTorch's convolutions run at the rate of a matrix product, in float32 as in AVX-512's bfloat16: only fewer
multiplications make them faster. The input is cut into tiles of 6x6 that overlap by two, tiles and kernels are
transformed, 36 matrix products sum over the channels, and the inverse transform gives tiles of 4x4 (Lavin & Gray 2016,
arXiv:1509.09308, section 4.3). Rounding errors grow four- to sevenfold: to 1e-6 of the results' deviation in float32,
to 1.1e-2 in bfloat16, and to 1.6e-2 in its gradients.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

STEP, TILE = 4, 6  # pixels a side of a tile of the output, and of the input
LEAST_CHANNELS = 64, 128  # of the smaller and the larger side: with fewer, the transforms take what they spare
LEAST_POSITIONS = 400  # of the map: with fewer, it is the kernels' transform that does
BAND = 512  # bytes of one channel at one place of the tiles: bands that stay in the cache, of enough rows for a product

# Points at which polynomials are multiplied, and infinity; 0, 1, -1, 2, -2 would double the rounding errors.
POINTS = 0.0, 0.75, -0.75, 1.5, -1.5


def _transforms() -> Iterator[Tensor]:
    """Of tiles (36, 36), of kernels (36, 9) and back (16, 36): both dimensions at once, positions in one row.

    Toom and Cook's, transposed (Lavin & Gray 2016, section 4): kernels are evaluated at the points, over the product of
    a point's distances to the others, and tiles are multiplied by the polynomials that are 0 at all other points.
    """
    others = [[q for q in POINTS if q != p] for p in POINTS]
    tiles = [[*np.poly(rest)[::-1], 0] for rest in others] + [np.poly(POINTS)[::-1]]
    spread = [np.prod(np.subtract(p, rest)) for p, rest in zip(POINTS, others)]
    of_kernels = [np.power(p, range(3)) / product for p, product in zip(POINTS, spread)] + [[0, 0, 1]]
    back = np.array([np.power(p, range(STEP)) for p in POINTS] + [[0, 0, 0, 1]]).T
    for rows in tiles, of_kernels, back:
        yield torch.from_numpy(np.kron(rows, rows)).float()


OF_TILES, OF_KERNELS, BACK = _transforms()


def pays(x: Tensor, weight: Tensor, rough: bool) -> bool:
    """Whether a convolution of `x` by `weight` (D, C, 3, 3) is faster so: on a CPU, many channels, a map not too small.

    In bfloat16 only where its rounding errors do no harm (`rough`), and not with AMX, whose products are so fast that
    the transforms would take more than they spare. Where a network is traced, to be compiled or exported, its
    convolutions stay what they are.
    """
    if torch.compiler.is_compiling() or x.device.type != "cpu":
        return False
    wide = tuple(sorted(weight.shape[:2])) >= LEAST_CHANNELS and x.shape[2:].numel() >= LEAST_POSITIONS
    if x.dtype == torch.bfloat16:
        return wide and rough and not torch.cpu.get_capabilities().get("amx_bf16")
    return wide and x.dtype == torch.float32


def kernels(weight: Tensor, dtype: torch.dtype) -> Tensor:
    """Transformed kernels (36, D, C), of ``dtype``, of a weight (D, C, 3, 3). Differentiable."""
    flat = weight.to(dtype).permute(2, 3, 0, 1).reshape(9, -1)
    return (OF_KERNELS.to(dtype) @ flat).view(36, *weight.shape[:2])


def conv3x3(padded: Tensor, transformed: Tensor, bias: Tensor) -> Tensor:
    """The convolution of `padded` (B, C, H + 2, W + 2) by `kernels(weight)`, all of one type: (B, D, H, W)."""
    return _Convolution.apply(padded, transformed, bias)


class FrozenConv(nn.Conv2d):
    """A 3x3 convolution with padding 1 whose weight never changes: its kernels are transformed once."""

    kernels: Tensor | None = None
    rough = False  # see `pays`

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, D, H, W)."""
        if not pays(x, self.weight, self.rough):
            return super().forward(x)
        assert self.bias is not None
        if self.kernels is None or self.kernels.dtype != x.dtype:
            with torch.inference_mode(False), torch.no_grad():  # may serve where gradients are asked for, later
                self.kernels = kernels(self.weight, x.dtype)
        padded = F.pad(x, (1, 1, 1, 1), mode="constant" if self.padding_mode == "zeros" else self.padding_mode)
        return conv3x3(padded, self.kernels, self.bias)


class _Convolution(torch.autograd.Function):
    """Everything is done band by band, each some rows of tiles; tensors are (B, rows, columns, channels) inside."""

    @staticmethod
    def forward(ctx: Any, padded: Tensor, transformed: Tensor, bias: Tensor) -> Tensor:
        height, width = ctx.size = [side - 2 for side in padded.shape[2:]]
        padded = _whole(padded, height, width)
        ctx.save_for_backward(padded, transformed)
        shape = len(padded), len(bias), padded.shape[2] - 2, padded.shape[3] - 2
        images = torch.empty(shape, dtype=padded.dtype, memory_format=torch.channels_last)
        for band in _bands(images):
            sums = torch.bmm(_tiles(padded, band), transformed.mT)
            blocks = _blocks(images.permute(0, 2, 3, 1)[:, band])
            made = (BACK.to(sums.dtype) @ sums.flatten(1)).view(STEP, STEP, *blocks.shape[:3], -1)
            torch.add(made.permute(2, 3, 4, 0, 1, 5), bias, out=blocks)
        if images.shape[2:] == (height, width):
            return images
        return images[:, :, :height, :width].clone(memory_format=torch.channels_last)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        padded, transformed = ctx.saved_tensors
        needs_input, needs_kernels, needs_bias = ctx.needs_input_grad
        gradient = _whole(gradient, *ctx.size)
        rows = gradient.permute(0, 2, 3, 1).contiguous()
        batch, channels, height, width = padded.shape
        inputs = gradient.new_zeros(batch, height + 2, width + 2, channels) if needs_input else None
        of_kernels, back, of_tiles = None, *(matrix.T.to(rows.dtype) for matrix in (BACK, OF_TILES))
        for band in _bands(gradient):
            blocks = _blocks(rows[:, band])
            sums = back @ blocks.permute(3, 4, 0, 1, 2, 5).reshape(16, -1)
            sums = sums.view(36, -1, rows.shape[3])
            if needs_kernels:
                tiles = _tiles(padded, band)
                of_kernels = torch.bmm(sums.mT, tiles) if of_kernels is None else of_kernels.baddbmm_(sums.mT, tiles)
            if inputs is not None:
                tiles = of_tiles @ torch.bmm(sums, transformed).flatten(1)
                tiles = tiles.view(TILE, TILE, *blocks.shape[:3], -1)
                _add_tiles(inputs[:, band.start : band.stop + STEP], tiles.permute(2, 3, 4, 0, 1, 5))
        height, width = ctx.size
        found = None if inputs is None else inputs[:, : height + 2, : width + 2].permute(0, 3, 1, 2)
        return found, of_kernels, rows.sum((0, 1, 2)) if needs_bias else None


def _whole(images: Tensor, height: int, width: int) -> Tensor:
    """Images with zeros below and right, as many as `height` and `width` lack to whole tiles."""
    return F.pad(images, (0, -width % STEP, 0, -height % STEP)) if height % STEP or width % STEP else images


def _bands(images: Tensor) -> Iterator[slice]:
    """The rows of pixels of results (B, D, H, W) in parts of about `BAND` bytes of each channel's tiles."""
    batch, _, height, width = images.shape
    rows = STEP * max(1, round(BAND / images.itemsize * STEP / (batch * width)))
    return (slice(start, min(start + rows, height)) for start in range(0, height, rows))


def _tiles(padded: Tensor, band: slice) -> Tensor:
    """Transformed tiles (36, tiles of the band, C) of padded (B, C, H + 2, W + 2)."""
    rows = padded.permute(0, 2, 3, 1)[:, band.start : band.stop + TILE - STEP]
    tiles = rows.unfold(1, TILE, STEP).unfold(2, TILE, STEP).permute(4, 5, 0, 1, 2, 3)
    return (OF_TILES.to(tiles.dtype) @ tiles.reshape(36, -1)).view(36, -1, padded.shape[1])


def _blocks(images: Tensor) -> Tensor:
    """Images (B, H, W, C) as tiles of the output: (B, rows, columns, 4, 4, C), a view."""
    return images.unflatten(1, (-1, STEP)).unflatten(3, (-1, STEP)).transpose(2, 3)


def _add_tiles(images: Tensor, tiles: Tensor) -> None:
    """Add tiles (B, h, w, 6, 6, C), which overlap, into images (B, 4 h + 4, 4 w + 4, C)."""
    blocks = _blocks(images)
    blocks[:, :-1, :-1] += tiles[:, :, :, :STEP, :STEP]
    blocks[:, 1:, :-1, :2] += tiles[:, :, :, STEP:, :STEP]
    blocks[:, :-1, 1:, :, :2] += tiles[:, :, :, :STEP, STEP:]
    blocks[:, 1:, 1:, :2, :2] += tiles[:, :, :, STEP:, STEP:]
