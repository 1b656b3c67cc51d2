"""The sets of pictures that AdaIN is trained on: one of a known name, as COCO, the sample, or the user's own."""

import hashlib
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from nnlab.data.catalog import PROVENANCE, Asset, fetch, read_provenance, write_provenance
from nnlab.data.containers import check_archive
from nnlab.data.download import url_source
from nnlab.data.images import list_files
from nnlab.errors import UserError

SAMPLE = "sample"
PACKED_BYTES = 110_000  # of a picture in the pool, shorter side 512
_HOSTS = ("http://images.cocodataset.org/zips", "https://s3.amazonaws.com/images.cocodataset.org/zips")


def _coco(split: str, md5: str, size: int, images: int) -> Asset:
    return Asset(
        name=f"coco_{split}",
        note=f"MS-COCO {split} (Lin et al. 2014), {images:,} photos; licences are those of the photographers on Flickr",
        files={f"{split}.zip": f"md5:{md5}"},
        sources=tuple(url_source(host) for host in _HOSTS),
        size=size,
        needs=images * PACKED_BYTES,
    )


COCO = (
    _coco("val2017", "442b8da7639aecaf257c1dceb8ba8c80", 815_585_330, 5_000),
    _coco("train2017", "cced6f7f71b7629ddf16f17bbcfab6b2", 19_336_861_798, 118_287),
)


def coco(mirror: str = "") -> dict[str, Callable[[Path], None]]:
    """What fetches each part of COCO into a folder; `mirror` as of `data.catalog.fetch`."""
    return {asset.name: partial(fetch, asset, mirror=mirror) for asset in COCO}


def fetch_set(key: str, choice: str, folder: Path, named: Mapping[str, Callable[[Path], None]]) -> None:
    """Bring the set `choice` into `folder`; for the sample and for a path only provenance.json is written.

    `key` is the parameter that has this choice, `named` has what fetches each set of a known name. For a path the
    provenance holds a fingerprint of the files' names, sizes and times, so that what is made of the set depends on
    them. Raises `UserError` for an unknown name, a missing path, a download that no source serves, or a full disk.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if choice in named:
        try:
            return named[choice](folder)
        except UserError as error:
            hint = f"or get the pictures by any other way and give their folder or archive as {key}"
            raise UserError(f"{error}; {hint}") from None
    details: dict[str, Any] = {}
    if choice != SAMPLE:
        path = Path(os.path.expanduser(choice))  # which leaves a `~name` of nobody as it is
        if not path.exists():
            raise UserError(
                f"{key} = {choice!r}: no such folder or file; allowed: {', '.join([SAMPLE, *named])}, or a folder, zip "
                "or parquet file of pictures (an absolute path works in experiments too)"
            )
        details = {"path": str(path), "fingerprint": fingerprint(path)}
    for old in folder.iterdir():
        if old.is_file():
            old.unlink()
    return write_provenance(folder, choice, "the user's own pictures" if details else "pictures of GCompris", **details)


def fingerprint(path: Path) -> str:
    """A hash of the names, sizes and times of the files at `path`: tells a change without reading them."""
    if not path.is_dir():
        check_archive(path)
    state = hashlib.sha256()
    for file in list_files(path) if path.is_dir() else [path]:
        status = file.stat() if file.exists() else file.lstat()  # a link to nothing or to itself is left out later
        name = str(file.relative_to(path)).encode("utf-8", "surrogateescape")
        state.update(b"%b\0%d\0%d\n" % (name, status.st_size, status.st_mtime_ns))
    return state.hexdigest()


def locate(fetched: Path, sample: Path) -> tuple[Path, str]:
    """Where the pictures of the set lie that `fetch_set` brought to `fetched`, and what they are.

    `sample` is the folder of the sample. Raises `UserError` if a user's own have changed since they were noted.
    """
    provenance = read_provenance(fetched / PROVENANCE)
    if provenance["name"] == SAMPLE:
        return sample, SAMPLE
    if "path" not in provenance:
        return fetched, provenance["name"]
    path = Path(provenance["path"])
    if not path.exists() or fingerprint(path) != provenance.get("fingerprint"):
        raise UserError(
            f"{path}: changed since fetch_set noted its files; "
            f"run `dvc repro -s -f fetch_set@{fetched.name}`, then `dvc repro`"
        )
    return path, "own pictures"
