"""The function of the pixels that is minimised: weighted losses against the targets of two pictures."""

from dataclasses import dataclass

import torch
from torch import Tensor

from nnlab.gatys.losses import content_loss, gram, style_loss, total_variation
from nnlab.params import JobParams
from nnlab.vgg import VGG19


@dataclass(frozen=True)
class Objective:
    """Targets by layer, features for the content and Gram matrices for the style, and the weight of every term."""

    vgg: VGG19
    content_targets: dict[str, Tensor]
    style_targets: dict[str, Tensor]
    content_weights: dict[str, float]
    style_weights: dict[str, float]
    tv_weight: float

    def __call__(self, image: Tensor) -> dict[str, Tensor]:
        """Weighted terms of the loss by name, float32 scalars; their sum is the loss. `image`: (1, 3, H, W) in [0, 1].

        content.<layer> = content_weight * w_layer * content_loss, style.<layer> = style_weight * w_layer * style_loss,
        tv = tv_weight * total_variation.
        """
        features = self.vgg(image)
        terms = {
            f"content.{layer}": self.content_weights[layer] * content_loss(features[layer], target)
            for layer, target in self.content_targets.items()
        }
        for layer, target in self.style_targets.items():
            terms[f"style.{layer}"] = self.style_weights[layer] * style_loss(gram(features[layer]), target)
        if self.tv_weight:
            terms["tv"] = self.tv_weight * total_variation(image)
        return terms


@torch.no_grad()
def build_objective(vgg: VGG19, content: Tensor, style: Tensor, job: JobParams) -> Objective:
    """The objective of `job` for a content and a style picture, both (1, 3, H, W) in [0, 1], sizes may differ.

    Layers with weight 0 are left out, so that nothing is computed for them.
    """
    content_weights = _weights(job.content_layers, job.content_weight, job.content_layer_weights)
    style_weights = _weights(job.style_layers, job.style_weight, job.style_layer_weights)
    of_content, of_style = vgg(content), vgg(style)
    return Objective(
        vgg,
        {layer: of_content[layer] for layer in content_weights},
        {layer: gram(of_style[layer]) for layer in style_weights},
        content_weights,
        style_weights,
        job.tv_weight,
    )


def _weights(layers: list[str], weight: float, factors: dict[str, float]) -> dict[str, float]:
    weights = {layer: weight * factors.get(layer, 1.0) for layer in layers}
    return {layer: value for layer, value in weights.items() if value > 0}
