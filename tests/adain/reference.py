"""Weights and pictures from fixed seeds, and what pytorch-AdaIN's own code (commit 47950d0) makes of them.

`python -m tests.adain.reference <checkout>` runs the reference's code and rewrites `reference.json`: net.py and
function.py are imported, and `style_transfer` is taken out of test.py, all unchanged.
"""

import ast
import json
import sys
from pathlib import Path

import numpy as np
import torch

from nnlab.data.images import save_image

GOLDEN = Path(__file__).with_name("reference.json")  # sums and some values of every result

# Position in the reference's nn.Sequential, channels in, channels out, kernel.
ENCODER = [
    (0, 3, 3, 1), (2, 3, 64, 3), (5, 64, 64, 3), (9, 64, 128, 3), (12, 128, 128, 3), (16, 128, 256, 3),
    (19, 256, 256, 3), (22, 256, 256, 3), (25, 256, 256, 3), (29, 256, 512, 3),
]  # fmt: skip
WHOLE_ENCODER = [*ENCODER, *((position, 512, 512, 3) for position in (32, 35, 38, 42, 45, 48, 51))]
DECODER = [
    (1, 512, 256, 3), (5, 256, 256, 3), (8, 256, 256, 3), (11, 256, 256, 3), (14, 256, 128, 3), (18, 128, 128, 3),
    (21, 128, 64, 3), (25, 64, 64, 3), (28, 64, 3, 3),
]  # fmt: skip
ALPHA, WEIGHTS = 0.7, [1, 3]


def draw(seed, shape):
    """Normal numbers from NumPy's frozen generator: the same with every version of NumPy and torch."""
    return torch.from_numpy(np.random.RandomState(seed).standard_normal(shape).astype(np.float32))


def state(layers, seed):
    """A state dict in the reference's format: weights of variance 2 / fan-in, biases of deviation 0.1."""
    tensors = {}
    for number, (position, channels_in, channels_out, kernel) in enumerate(layers):
        spread = (2 / (channels_in * kernel**2)) ** 0.5
        tensors[f"{position}.weight"] = draw(seed + number, (channels_out, channels_in, kernel, kernel)) * spread
        tensors[f"{position}.bias"] = draw(seed + 100 + number, (channels_out,)) * 0.1
    if layers == DECODER:  # its pictures then lie in [0, 1], so that clipping hides nothing
        tensors[f"{layers[-1][0]}.weight"] *= 0.3
        tensors[f"{layers[-1][0]}.bias"] += 0.5
    return tensors


def image(seed, height, width):
    """A batch of one with a smooth gradient and noise, in [0, 1]; sides are no multiples of 8 on purpose."""
    ramp = torch.linspace(0, 1, height)[:, None] * torch.linspace(0.2, 1, width)
    noise = 0.15 * draw(seed, (1, 3, height, width))
    return (ramp * torch.tensor([1.0, 0.6, 0.3])[:, None, None] + noise).clamp(0, 1)


def save(path, seed, width=48, height=40):
    """Write such a picture to a file; its path."""
    save_image(image(seed, height, width), path)
    return path


def images():
    """Content and two styles, the first with the content's number of pixels (see `coral_map`)."""
    return image(1, 40, 53), image(2, 53, 40), image(3, 53, 40)


def crops():
    """Two of one size and a multiple of 8: the reference's loss asks for both."""
    return image(4, 40, 48), image(5, 40, 48)


def probe(tensor):
    """What is kept of a tensor: shape, sum of values, sum of magnitudes, and 40 values spread over it."""
    flat = tensor.detach().float().flatten()
    picks = torch.linspace(0, flat.numel() - 1, 40).long()
    total, size = flat.double().sum().item(), flat.double().abs().sum().item()
    return {"shape": list(tensor.shape), "sum": total, "magnitude": size, "values": flat[picks].tolist()}


def record(checkout):
    """Run the reference's code in `checkout` and write `reference.json`."""
    sys.path.insert(0, str(checkout))
    import function
    import net

    net.vgg.load_state_dict(state(WHOLE_ENCODER, 1000))
    net.decoder.load_state_dict(state(DECODER, 2000))
    source = ast.parse((Path(checkout) / "test.py").read_text())
    chosen = [node for node in source.body if isinstance(node, ast.FunctionDef) and node.name == "style_transfer"]
    names = {"torch": torch, "adaptive_instance_normalization": function.adaptive_instance_normalization}
    names["device"] = torch.device("cpu")
    exec(compile(ast.Module(chosen, []), "test.py", "exec"), names)

    model, vgg = net.Net(net.vgg, net.decoder), torch.nn.Sequential(*list(net.vgg.children())[:31])
    (content, style, other), pair = images(), crops()
    with torch.no_grad():
        features = model.encode_with_intermediate(content)
        mean, std = function.calc_mean_std(features[-1])
        loss = model(*pair), model(*pair, ALPHA)
        both = names["style_transfer"](
            vgg, net.decoder, content.expand(2, -1, -1, -1), torch.cat([style, other]), ALPHA,
            [weight / sum(WEIGHTS) for weight in WEIGHTS],
        )  # fmt: skip
        results = {f"relu{i + 1}_1": layer for i, layer in enumerate(features)} | {
            "mean": mean,
            "std": std,
            "losses": torch.stack([*loss[0], *loss[1]]),
            "output": names["style_transfer"](vgg, net.decoder, content, style),
            "output_alpha": names["style_transfer"](vgg, net.decoder, content, style, ALPHA),
            "output_two_styles": both,
            "coral": function.coral((style[0] * 255).round() / 255, (content[0] * 255).round() / 255),
        }
    GOLDEN.write_text(json.dumps({name: probe(tensor) for name, tensor in results.items()}, indent=1) + "\n")


if __name__ == "__main__":
    record(Path(sys.argv[1]).resolve())
