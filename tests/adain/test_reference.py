"""Our mathematics against naoto0804/pytorch-AdaIN's own code (commit 47950d0), to 1e-4 in float32.

`reference.json` holds what the reference computed on the weights and images that this file draws from fixed seeds.
`python tests/adain/test_reference.py <checkout>` runs the reference's code again and rewrites it: net.py and
function.py are imported, and `style_transfer` is taken out of test.py, all unchanged. Run it with PYTHONPATH=src.
"""

import ast
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from nnlab.adain.colors import coral_map
from nnlab.adain.export import export
from nnlab.adain.losses import content_loss, style_loss
from nnlab.adain.model import FEATURES, adain
from nnlab.adain.statistics import mean_std
from nnlab.adain.stylize import Statistics, blend
from nnlab.adain.weights import load_decoder, load_encoder

GOLDEN = Path(__file__).with_name("reference.json")

# Position in the reference's nn.Sequential, channels in, channels out, kernel.
ENCODER = [
    (0, 3, 3, 1),
    (2, 3, 64, 3),
    (5, 64, 64, 3),
    (9, 64, 128, 3),
    (12, 128, 128, 3),
    (16, 128, 256, 3),
    (19, 256, 256, 3),
    (22, 256, 256, 3),
    (25, 256, 256, 3),
    (29, 256, 512, 3),
]
DECODER = [
    (1, 512, 256, 3),
    (5, 256, 256, 3),
    (8, 256, 256, 3),
    (11, 256, 256, 3),
    (14, 256, 128, 3),
    (18, 128, 128, 3),
    (21, 128, 64, 3),
    (25, 64, 64, 3),
    (28, 64, 3, 3),
]
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
    tensors[f"{layers[-1][0]}.bias"] += 1  # moves the decoder's pictures into [0, 1]
    return tensors


def image(seed, height, width):
    """A batch of one with a smooth gradient and noise, in [0, 1]; sides are no multiples of 8 on purpose."""
    ramp = torch.linspace(0, 1, height)[:, None] * torch.linspace(0.2, 1, width)
    noise = 0.15 * draw(seed, (1, 3, height, width))
    return (ramp * torch.tensor([1.0, 0.6, 0.3])[:, None, None] + noise).clamp(0, 1)


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

    net.vgg.load_state_dict(
        {**{k: torch.zeros_like(v) for k, v in net.vgg.state_dict().items()}, **state(ENCODER, 1000)}
    )
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


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """Our encoder and decoder, read from files in the reference's format."""
    folder = tmp_path_factory.mktemp("weights")
    torch.save(state(ENCODER, 1000), folder / "vgg_normalised.pth")
    torch.save(state(DECODER, 2000), folder / "decoder.pth")
    return load_encoder(folder / "vgg_normalised.pth"), load_decoder(folder / "decoder.pth")


def same(name, tensor):
    """Compare with what the reference computed: every kept value to 1e-4, and both sums to 1e-4 per value."""
    expected, found = json.loads(GOLDEN.read_text())[name], probe(tensor)
    assert found["shape"] == expected["shape"]
    assert found["values"] == pytest.approx(expected["values"], rel=1e-4, abs=1e-4)
    for total in ("sum", "magnitude"):
        assert found[total] == pytest.approx(expected[total], abs=1e-4 * tensor.numel())


@pytest.mark.parametrize("layer", FEATURES)
def test_encoder_equals_the_references(networks, layer):
    with torch.no_grad():
        same(layer, networks[0](images()[0])[layer])


def test_mean_and_deviation_equal_the_references(networks):
    with torch.no_grad():
        mean, std = mean_std(networks[0].encode(images()[0]))
    same("mean", mean)
    same("std", std)


def test_losses_equal_the_references(networks):
    encoder, decoder = networks
    content, style = crops()
    with torch.no_grad():
        features, target = encoder(style), encoder.encode(content)
        found, wanted = [], {layer: mean_std(features[layer]) for layer in FEATURES}
        for alpha in (1, ALPHA):
            t = alpha * adain(target, features["relu4_1"]) + (1 - alpha) * target
            drawn = encoder(decoder(t))
            found += [content_loss(drawn["relu4_1"], t), style_loss(drawn, wanted)]
    same("losses", torch.stack(found))


@pytest.mark.parametrize(
    ("name", "styles", "alpha"),
    [("output", 1, 1.0), ("output_alpha", 1, ALPHA), ("output_two_styles", 2, ALPHA)],
)
def test_decoded_picture_equals_the_references(networks, name, styles, alpha):
    encoder, decoder = networks
    content, *all_styles = images()
    with torch.no_grad():
        features = encoder.encode(content)
        moments = [Statistics(*mean_std(encoder.encode(style))) for style in all_styles[:styles]]
        scale, shift = blend(Statistics(*mean_std(features)), moments, WEIGHTS[:styles], alpha)
        same(name, decoder(features * scale + shift))


def test_coral_equals_the_references():
    content, style, _ = (np.round(picture[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8) for picture in images())
    matrix = coral_map(style, content)
    pixels = torch.from_numpy(style / 255).permute(2, 0, 1)
    same("coral", torch.einsum("rc,chw->rhw", matrix[:, :3], pixels) + matrix[:, 3, None, None])


def test_exported_weights_have_the_references_keys_and_give_its_picture(networks, tmp_path):
    encoder, decoder = networks
    export(encoder, decoder, tmp_path)
    written = torch.load(tmp_path / "decoder.pth", weights_only=True)
    assert list(written) == list(state(DECODER, 2000))
    assert all(torch.equal(written[key], tensor) for key, tensor in state(DECODER, 2000).items())
    whole = torch.load(tmp_path / "vgg_normalised.pth", weights_only=True)
    assert {key: tuple(tensor.shape) for key, tensor in whole.items()} == whole_vgg()
    read = load_encoder(tmp_path / "vgg_normalised.pth"), load_decoder(tmp_path / "decoder.pth")
    with torch.no_grad():
        same("output", read[1](adain(*(read[0].encode(picture) for picture in images()[:2]))))


def whole_vgg():
    """Keys and shapes of the reference's encoder with all its layers: what its test.py loads, strictly."""
    later = [(32 + 3 * i, 512, 512, 3) for i in range(3)] + [(42 + 3 * i, 512, 512, 3) for i in range(4)]
    shapes = {}
    for position, channels_in, channels_out, kernel in [*ENCODER, *later]:
        shapes[f"{position}.weight"] = (channels_out, channels_in, kernel, kernel)
        shapes[f"{position}.bias"] = (channels_out,)
    return shapes


if __name__ == "__main__":
    record(Path(sys.argv[1]).resolve())
