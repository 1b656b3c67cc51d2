"""The image sets that `adain.train.content` and `adain.train.style` name: COCO, WikiArt, the sample, a path."""

import hashlib
import os
import re
from pathlib import Path
from typing import Any

from nnlab.data.archives import find_archives, is_archive
from nnlab.data.fetch import PROVENANCE, Asset, fetch, read_provenance, write_provenance
from nnlab.data.hub import COMMIT, DataSet, dataset_asset
from nnlab.data.images import list_images
from nnlab.data.sources import url_source
from nnlab.errors import UserError

SAMPLE = "sample"
_PACKED_BYTES = 110_000  # of a picture in the pool, shorter side 512
_COCO = ("http://images.cocodataset.org/zips", "https://s3.amazonaws.com/images.cocodataset.org/zips")


def _coco(split: str, md5: str, size: int, images: int) -> Asset:
    return Asset(
        name=f"coco_{split}",
        note=f"MS-COCO {split} (Lin et al. 2014), {images:,} photos; licences are those of the photographers on Flickr",
        files={f"{split}.zip": f"md5:{md5}"},
        sources=tuple(url_source(base) for base in _COCO),
        size=size,
        needs=images * _PACKED_BYTES,
    )


# Each name of a set, by the parameter that may have it; a data set of the hub may be followed by "@" and a commit.
NAMED: dict[str, dict[str, Asset | DataSet]] = {
    "content": {
        "coco_val2017": _coco("val2017", "442b8da7639aecaf257c1dceb8ba8c80", 815_585_330, 5_000),
        "coco_train2017": _coco("train2017", "cced6f7f71b7629ddf16f17bbcfab6b2", 19_336_861_798, 118_287),
    },
    "style": {
        "wikiart": DataSet("wikiart", "Artificio/WikiArt", 103_250 * _PACKED_BYTES // 4),
        "wikiart_full": DataSet("wikiart_full", "huggan/wikiart", 81_444 * _PACKED_BYTES),
    },
}


def fetch_set(kind: str, choice: str, folder: Path, mirror: str = "") -> None:
    """Bring the set `choice` into `folder`; for the sample and for a path only provenance.json is written.

    `kind` is "content" or "style". For a path the provenance holds a fingerprint of the files' names, sizes and times,
    so that what is made of the set depends on them. Raises `UserError` for an unknown name, a missing path, a download
    that no source serves, or a full disk.
    """
    folder.mkdir(parents=True, exist_ok=True)
    named, commit = _named(kind, choice)
    if named:
        try:
            asset = dataset_asset(named, folder, commit) if isinstance(named, DataSet) else named
            return fetch(asset, folder, mirror)
        except UserError as error:
            hint = f"or get the pictures by any other way and give their folder or archive as adain.train.{kind}"
            raise UserError(f"{error}; {hint}") from None
    if choice == SAMPLE:
        details: dict[str, Any] = {}
        note = f"{'photos' if kind == 'content' else 'paintings'} of GCompris"
    else:
        path = _existing(kind, choice)
        details, note = {"path": str(path), "fingerprint": fingerprint(path)}, "the user's own pictures"
    for old in folder.iterdir():
        if old.is_file():
            old.unlink()
    return write_provenance(folder, choice, note, **details)


def _named(kind: str, choice: str) -> tuple[Asset | DataSet | None, str]:
    """The set of that name, if there is one, and the commit that follows it."""
    pinned = re.fullmatch(f"(.+)@({COMMIT})", choice)
    if pinned and isinstance(found := NAMED[kind].get(pinned[1]), DataSet):
        return found, pinned[2]
    return NAMED[kind].get(choice), ""


def _existing(kind: str, choice: str) -> Path:
    path = Path(os.path.expanduser(choice))  # which leaves a `~name` of nobody as it is
    if not path.exists():
        forms = [name + "[@<commit of 40 digits>]" * isinstance(of, DataSet) for name, of in NAMED[kind].items()]
        allowed = ", ".join([SAMPLE, *forms])
        raise UserError(
            f"adain.train.{kind} = {choice!r}: no such folder or file; allowed: {allowed}, "
            "or a folder, zip, tar or parquet file of pictures (an absolute path works in experiments too)"
        )
    return path


def fingerprint(path: Path) -> str:
    """A hash of the names, sizes and times of the pictures and archives at `path`: tells a change without reading."""
    files = [*list_images(path), *find_archives(path)] if path.is_dir() else [path]
    if path.is_file() and not is_archive(path):
        raise UserError(f"{path}: not a zip, tar or parquet file")
    state = hashlib.sha256()
    for file in files:
        status = file.stat() if file.exists() else file.lstat()  # a link to nothing or to itself is left out later
        name = str(file.relative_to(path)).encode("utf-8", "surrogateescape")
        state.update(b"%b\0%d\0%d\n" % (name, status.st_size, status.st_mtime_ns))
    return state.hexdigest()


def locate(fetched: Path, samples: Path) -> tuple[Path, dict[str, Any]]:
    """Where the pictures of the set lie that `fetch_set` brought to `fetched`, and its provenance.

    `samples` are the pictures of "sample". Raises `UserError` if a user's own have changed since they were noted.
    """
    provenance = read_provenance(fetched / PROVENANCE)
    if provenance["name"] == SAMPLE:
        return samples, provenance
    if "path" not in provenance:
        return fetched, provenance
    path = Path(provenance["path"])
    if not path.exists() or fingerprint(path) != provenance.get("fingerprint"):
        raise UserError(
            f"{path}: changed since fetch_{fetched.name} noted its files; "
            f"run `dvc repro -s -f fetch_{fetched.name}`, then `dvc repro`"
        )
    return path, provenance
