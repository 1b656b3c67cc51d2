"""Small sets of pictures and settings that several tests train with."""

import torch
import torch.nn.functional as F

from nnlab.adain.model import FEATURES, adain
from nnlab.adain.statistics import mean_std
from nnlab.data.containers import pictures
from nnlab.data.images import save_image
from nnlab.data.packing import pack
from nnlab.params import AdainTrainParams
from tests import quick
from tests.datasets import photo

SMALL = {"max_iter": 12, "batch_size": 2, "warmup": 2, "log_every": 3, "crop": 16, "sides": [24, 32, 40]}


def settings(**changed):
    """Parameters of a training with steps of every kind, from a random start; what is given replaces these."""
    values = {
        "max_iter": 100, "batch_size": 4, "crop": 64, "sides": [64], "start": "random",
        "optimizer": "muon", "learning_rate": 1e-3, "decay": 1e-3, "warmup": 10, "cooldown": 0, "average": 0.9,
        "content_weight": 1.0, "style_weight": 10.0, "structure_weight": 1.0, "color_weight": 100.0, "power": 0.5,
        "identity": {"share": 0.4, "pixel_weight": 100.0}, "random_alpha": 0.3, "photo_styles": 0.5,
        "plain_styles": 0.2, "checkpoint_fractions": [0.1, 0.5, 0.8, 1.0], "log_every": 10, "seed": 1,
    }  # fmt: skip
    return AdainTrainParams(**{**values, **changed})


# pytorch-AdaIN's recipe, as the comments of params.yaml give it.
REFERENCE = {
    "crop": 40, "sides": [64], "optimizer": "adam", "learning_rate": 1e-4,
    "decay": 5e-5, "warmup": 0, "cooldown": 0, "average": 0, "structure_weight": 0, "color_weight": 0, "power": 1,
    "identity": {"share": 0, "pixel_weight": 100.0}, "random_alpha": 0, "photo_styles": 0, "plain_styles": 0,
}  # fmt: skip


def make_pools(folder):
    """Pack twelve pictures each; return the content and the style set's folders."""
    for first, kind in ((0, "content"), (12, "style")):
        for seed in range(first, first + 12):
            save_image(photo(seed, (80, 64)), folder / "plain" / kind / f"{seed}.png")
        pack(pictures(folder / "plain" / kind), folder / kind, 64)
    return folder / "content", folder / "style"


def make_held_out(folder, photos="01", paintings="01"):
    """Write held-out pictures of a gallery, of 60 x 48 pixels, under these names."""
    for seed, (kind, name) in enumerate([*(("photos", n) for n in photos), *(("paintings", n) for n in paintings)]):
        save_image(photo(seed, (60, 48)), folder / kind / f"held_out/{name}.png")


def write_params(folder, **changed):
    """params.yaml with other values for dotted keys of its section `adain`, on the CPU in float32; the path."""
    values = {f"adain.{key}": value for key, value in changed.items()}
    return quick.write_params(folder, {**values, "hardware.device": "cpu", "hardware.precision": "float32"})


def plain_losses(encoder, decoder, content, style):
    """Content and style loss as the paper and pytorch-AdaIN have them."""
    with torch.no_grad():
        wanted, target = adain(encoder.encode(content), encoder.encode(style)), encoder(style)
    made = encoder(decoder(wanted))
    of_style = sum(
        F.mse_loss(a, b) for layer in FEATURES for a, b in zip(mean_std(made[layer]), mean_std(target[layer]))
    )
    return F.mse_loss(made[FEATURES[-1]], wanted), of_style
