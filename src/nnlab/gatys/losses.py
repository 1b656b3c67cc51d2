"""What Gatys et al. minimise: content loss, style loss on Gram matrices, total variation.

Gatys, Ecker, Bethge: "Image Style Transfer Using Convolutional Neural Networks", CVPR 2016.
F is a layer's feature map after the ReLU, with C channels and M = H * W positions.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from nnlab.errors import UserError
from nnlab.gatys.pictures import only_luminance
from nnlab.params import JobParams
from nnlab.vgg.network import VGG19
from nnlab.vgg.weights import Weights

POSITIONS = 2**14
"""Of a feature map, made float32 at a time: a copy of a large picture's first layer alone would be a gigabyte."""


def content_loss(features: Tensor, target: Tensor) -> Tensor:
    """L_content = 1/(C M) * sum_ij (F_ij - P_ij)^2, the mean squared error; P are the content picture's features.

    Equation 1 of the paper has 1/2 for 1/(C M): with the mean, a weight holds for every layer and picture size.
    Features and target are (1, C, H, W); the result is a float32 scalar.
    """
    return (features.float() - target.float()).square().mean()


def gram(features: Tensor) -> Tensor:
    """G = F F^T / (C M): (1, C, H, W) -> (C, C) float32, divided by the number of elements of F.

    Equation 3 of the paper is F F^T; the paper divides in the loss (equation 4). Dividing here lets the style picture
    have another size than the result.
    """
    return _Gram.apply(features)


def style_loss(gram_matrix: Tensor, target: Tensor) -> Tensor:
    """L_style of one layer = 1/C^2 * sum_ij (G_ij - A_ij)^2; A is the style picture's Gram matrix.

    With `gram` above this is 4 E_l / C^2 for the E_l of equation 4 (pictures of equal size): the weighting per layer,
    1/C^2, of the authors' own code. Both arguments are (C, C); the result is a float32 scalar.
    """
    return (gram_matrix - target).square().mean()


def total_variation(image: Tensor) -> Tensor:
    """Mean absolute difference of neighbours, across plus down (Rudin et al. 1992); (1, 3, H, W) -> scalar."""
    return image.diff(dim=3).abs().mean() + image.diff(dim=2).abs().mean()


def layer_weights(job: JobParams) -> tuple[dict[str, float], dict[str, float]]:
    """The weight of every content and of every style layer; those of weight 0 are left out: nothing computes them."""
    content = {x: job.content_weight * job.content_layer_weights.get(x, 1.0) for x in job.content_layers}
    style = {x: job.style_weight * job.style_layer_weights.get(x, 1.0) for x in job.style_layers}
    return {x: factor for x, factor in content.items() if factor}, {x: factor for x, factor in style.items() if factor}


def network(weights: Weights, job: JobParams, dtype: torch.dtype = torch.float32) -> VGG19:
    """VGG19 with what the losses of a job need: its layers and its pooling."""
    return VGG19(weights, [x for kind in layer_weights(job) for x in kind], pooling=job.pooling, dtype=dtype)


class Objective:
    """The function of the pixels that is minimised: weighted losses against the targets of two pictures."""

    @torch.no_grad()
    def __init__(self, vgg: VGG19, content: Tensor, style: Tensor, job: JobParams) -> None:
        """Take the targets from pictures (1, 3, H, W) in [0, 1], sizes may differ; `vgg` is the job's `network`.

        Where the colours are to stay, the targets are those of the pictures in grey.
        """
        if job.preserve_color:
            content, style = only_luminance(content, style)
        self.vgg, self.tv_weight = vgg, job.tv_weight
        self.content_weights, self.style_weights = layer_weights(job)
        try:
            of_content, of_style = vgg(content), vgg(style)
        except UserError as error:
            sides = (f"{name} {x.shape[3]}x{x.shape[2]}" for name, x in (("content", content), ("style", style)))
            advice = "take a larger size or style_scale, fewer numbers in coarse_iterations, or a picture less narrow"
            raise UserError(f"{error} ({', '.join(sides)}); {advice}") from None
        self.content_targets = {layer: of_content[layer] for layer in self.content_weights}
        self.style_targets = {layer: gram(of_style[layer]) for layer in self.style_weights}

    def __call__(self, image: Tensor) -> dict[str, Tensor]:
        """Weighted terms of the loss by name, float32 scalars; their sum is the loss. `image`: (1, 3 or 1, H, W).

        content.<layer> = content_weight * w_layer * content_loss, style.<layer> = style_weight * w_layer * style_loss,
        tv = tv_weight * total_variation.
        """
        features, terms = self.vgg(image.expand(-1, 3, -1, -1)), {}
        for layer, weight in self.content_weights.items():
            terms[f"content.{layer}"] = weight * content_loss(features[layer], self.content_targets[layer])
        for layer, weight in self.style_weights.items():
            terms[f"style.{layer}"] = weight * style_loss(gram(features[layer]), self.style_targets[layer])
        if self.tv_weight:
            terms["tv"] = self.tv_weight * total_variation(image)
        return terms


class _Gram(torch.autograd.Function):
    """Gram matrix, summed in float32 whatever the features' type; dF = F (dG + dG^T) / (C M) is one product."""

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        ctx.save_for_backward(features)
        positions = features.permute(0, 2, 3, 1).flatten(0, 2)  # (M, C)
        parts = (part.float() for part in positions.split(POSITIONS))
        return sum(part.T @ part for part in parts) / features.numel()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        (features,) = ctx.saved_tensors
        both = ((gradient + gradient.T) / features.numel()).to(features.dtype)
        positions = features.permute(0, 2, 3, 1)  # (1, H, W, C)
        return (positions.flatten(0, 2) @ both).view(positions.shape).permute(0, 3, 1, 2)
