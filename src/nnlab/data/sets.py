"""The sets of pictures that AdaIN is trained on: MS-COCO or WikiArt by name, the sample, or the user's own."""

import hashlib
import os
from pathlib import Path
from typing import Any

from nnlab.data.catalog import PROVENANCE, Asset, fetch, read_provenance, records
from nnlab.data.download import url_source
from nnlab.data.images import list_files
from nnlab.errors import UserError

try:
    import huggingface_hub
except ImportError:  # the extra "wikiart"
    huggingface_hub = None  # type: ignore[assignment]

SAMPLE = "sample"
PACKED_BYTES = 110_000  # of a picture in the pool, shorter side 512
_HOSTS = ("http://images.cocodataset.org/zips", "https://s3.amazonaws.com/images.cocodataset.org/zips")
COCO = {
    f"coco_{split}": Asset(
        name=f"coco_{split}",
        note=f"MS-COCO {split} (Lin et al. 2014), {images:,} photos; licences are those of the photographers on Flickr",
        files={f"{split}.zip": digest},
        sources=tuple(url_source(host) for host in _HOSTS),
        size=size,
        needs=images * PACKED_BYTES,
    )
    for split, digest, size, images in (
        ("val2017", "4f7e2ccb2866ec5041993c9cf2a952bbed69647b115d0f74da7ce8f4bef82f05", 815_585_330, 5_000),
        ("train2017", "69a8bb58ea5f8f99d24875f21416de2e9ded3178e903f1f7603e283b9e06d929", 19_336_861_798, 118_287),
    )
}
# Data sets on Hugging Face, and the bytes of what is made of them.
WIKIART = {
    "wikiart": ("Artificio/WikiArt", 103_250 * PACKED_BYTES // 4),
    "wikiart_full": ("huggan/wikiart", 81_444 * PACKED_BYTES),
}


def fetch_set(key: str, choice: str, folder: Path, mirror: str = "") -> None:
    """Bring the set `choice` into `folder`; for the sample and for a path only provenance.json is written.

    `key` is the parameter that has this choice, `mirror` as of `data.catalog.fetch`. "<name of WikiArt>@<commit>" is
    that commit. For a path the provenance holds a fingerprint, so that what is made of the set depends on its files.
    Raises `UserError` for an unknown name, a missing path, a download that no source serves, or a full disk.
    """
    name, _, commit = choice.partition("@")
    if choice == SAMPLE:
        return fetch(Asset(SAMPLE, {}, (), "pictures of GCompris"), folder)
    if choice not in COCO and name not in WIKIART:
        return fetch(_own(key, choice), folder)
    try:
        fetch(COCO.get(choice) or _wikiart(name, commit, folder), folder, mirror)
    except UserError as error:
        hint = f"or get the pictures by any other way and give their folder or archive as {key}"
        raise UserError(f"{error}; {hint}") from None


def _own(key: str, choice: str) -> Asset:
    """The user's own pictures, which stay where they are."""
    path = Path(os.path.expanduser(choice))  # which leaves a `~name` of nobody as it is
    if not path.exists():
        raise UserError(
            f"{key} = {choice!r}: no such folder or file; allowed: {', '.join([SAMPLE, *COCO, *WIKIART])}, or a "
            "folder, zip or parquet file of pictures (an absolute path works in experiments too)"
        )
    details = {"path": str(path), "fingerprint": fingerprint(path)}
    return Asset(choice, {}, (), "the user's own pictures", details)


def _wikiart(name: str, commit: str, folder: Path) -> Asset:
    """The parquet files at `commit`, else at one that an earlier fetch noted (see `records`), else at the newest.

    The SHA-256 of each is what the hub keeps. huggingface_hub takes another host from the environment's HF_ENDPOINT.
    """
    if huggingface_hub is None:
        raise UserError(f"{name}: needs huggingface_hub and pyarrow; `pip install huggingface_hub pyarrow`")
    repository, needs = WIKIART[name]
    hub = huggingface_hub.HfApi()
    known = [record for record in records(folder) if record.get("repository") == repository]
    noted = next((record for record in known if commit in ("", record["revision"])), None)  # the hub is not asked then
    listed = noted or _listed(hub, name, repository, commit)
    return Asset(
        name=name,
        note=f"Hugging Face data set {repository}; the paintings' licences differ, research use",
        files=listed["files"],
        # The hub's own client begins a cut file anew, and goes around another host to the hub's storage (Xet).
        sources=[url_source(f"{hub.endpoint}/datasets/{repository}/resolve/{listed['revision']}")],
        details={"repository": repository, "revision": listed["revision"], "size": listed.get("size", 0)},
        size=listed.get("size", 0),
        needs=needs,
    )


def _listed(hub: Any, name: str, repository: str, commit: str) -> dict[str, Any]:
    """As a provenance has it: the commit (the newest where none is named), its parquet files, their bytes in all."""
    try:
        info = hub.dataset_info(repository, revision=commit or None, files_metadata=True)
    except Exception as error:  # those of its HTTP libraries, which differ by version
        reason = f"{hub.endpoint} does not list the files of {repository} ({error})"
        raise UserError(f"{name}: {reason}; name another host in HF_ENDPOINT") from None
    found = [file for file in info.siblings or [] if file.rfilename.endswith(".parquet") and file.lfs]
    files = {file.rfilename: file.lfs.sha256 for file in found}
    return {"revision": info.sha, "files": files, "size": sum(file.size for file in found)}


def fingerprint(path: Path) -> str:
    """A hash of the names, sizes and times of the files at `path`: tells a change without reading them."""
    state = hashlib.sha256()
    for file in list_files(path) if path.is_dir() else [path]:
        status = file.stat() if file.exists() else file.lstat()  # a link to nothing or to itself is left out later
        name = os.fsencode(file.relative_to(path))
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
    if not path.exists():
        raise UserError(f"{path}: not found; name the pictures by an absolute path in adain.data.{fetched.name}")
    if fingerprint(path) != provenance["fingerprint"]:
        raise UserError(
            f"{path}: changed since fetch_set noted its files; "
            f"run `dvc repro -s -f fetch_set@{fetched.name}`, then `dvc repro`"
        )
    return path, "own pictures"
