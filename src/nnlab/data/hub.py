"""Data sets on Hugging Face: their parquet files at one commit, with the SHA-256 that the hub keeps of each."""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import requests

from nnlab.data.catalog import PROVENANCE, Asset, read_provenance, write_provenance
from nnlab.data.download import TIMEOUT_SECONDS, Source, download
from nnlab.errors import UserError

ENDPOINT = "https://huggingface.co"
COMMIT = "[0-9a-f]{40}"
_BEGUN = f"{PROVENANCE}.part"  # the list of files while they are downloaded


@dataclass(frozen=True)
class DataSet:
    """A data set of the hub; `needs` is the number of bytes of what is made of it later."""

    name: str
    repository: str
    needs: int


def dataset_asset(data: DataSet, folder: Path, commit: str = "") -> Asset:
    """The parquet files of `data` at `commit`, else at the one that was begun in `folder`, else at the newest.

    The list of files at that commit is kept in `folder`, so that the hub is asked for it only once; the environment's
    HF_ENDPOINT names another host. Raises `UserError` if there is no such list and the hub does not give one.
    """
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or ENDPOINT
    listing = _noted(data, folder, commit) or _asked(data, endpoint, folder, commit)
    paths = {_flat(file.path): file.path for file in listing.files}

    def get(file: str, path: Path) -> None:
        download(f"{endpoint}/datasets/{data.repository}/resolve/{listing.commit}/{paths[file]}", path)

    return Asset(
        name=data.name,
        note=f"Hugging Face data set {data.repository}; the paintings' licences differ, research use",
        files={_flat(file.path): file.sha256 for file in listing.files},
        sources=(Source(endpoint, get),),
        details=_details(data, listing),
        size=sum(file.size for file in listing.files),
        needs=data.needs,
    )


class _File(NamedTuple):
    """One file of a data set, as the hub lists it."""

    path: str
    sha256: str
    size: int


class _Listing(NamedTuple):
    """The parquet files of a data set at one commit."""

    commit: str
    files: list[_File]


def _noted(data: DataSet, folder: Path, commit: str) -> _Listing | None:
    """The list that an earlier fetch left in `folder`, at `commit` if that is given; None where none is whole."""
    for path in (folder / _BEGUN, folder / PROVENANCE):
        try:
            record = read_provenance(path)
            digests, sizes = dict(record["files"]), dict(record["sizes"])
            found = [_parquet({"path": p, "lfs": {"oid": digests[_flat(p)], "size": sizes[p]}}) for p in sizes]
            listing = _Listing(str(record["revision"]), [file for file in found if file])
            whole = {_flat(file.path) for file in listing.files} == set(digests) != set()
        except (UserError, ValueError, KeyError, TypeError, AttributeError):
            continue
        known = re.fullmatch(COMMIT, listing.commit) and commit in ("", listing.commit)
        if whole and known and record.get("repository") == data.repository:
            print(
                f"{data.name}: commit {listing.commit[:12]}, its files checked against the SHA-256 in {path}; the hub "
                f"is not asked for a list (for the newest: remove that file, `dvc repro -s -f fetch_{folder.name}`)",
                file=sys.stderr,
                flush=True,
            )
            return listing
    return None


def _asked(data: DataSet, endpoint: str, folder: Path, commit: str) -> _Listing:
    """The hub's list at `commit`, or at the commit that `main` is now; noted in `folder` before any download."""
    api = f"{endpoint}/api/datasets/{data.repository}"
    if not commit:
        commit = str(_ask(f"{api}/revision/main", data.name, dict).get("sha"))
        if not re.fullmatch(COMMIT, commit):
            raise UserError(
                f"{data.name}: {api}/revision/main names no commit (sha: {commit[:60]!r}); "
                "name another host in HF_ENDPOINT"
            )
    tree = _ask(f"{api}/tree/{commit}?recursive=true", data.name, list)
    listing = _Listing(commit, [file for file in map(_parquet, tree) if file])
    if not listing.files:
        raise UserError(
            f"{data.name}: {api} lists no parquet files with checksums; is it the data set {data.repository}?"
        )
    digests = {_flat(file.path): file.sha256 for file in listing.files}
    write_provenance(folder, data.name, "not whole yet", file=_BEGUN, files=digests, **_details(data, listing))
    return listing


def _details(data: DataSet, listing: _Listing) -> dict[str, Any]:
    """What `_noted` needs besides the digests; sizes in bytes, by the path in the data set."""
    sizes = {file.path: file.size for file in listing.files}
    return {"repository": data.repository, "revision": listing.commit, "sizes": sizes}


def _flat(path: str) -> str:
    """The name in the folder of a file of the data set."""
    return path.replace("/", "_")


def _parquet(entry: Any) -> _File | None:
    """A parquet file that the hub keeps a checksum of; None for anything else that may be in the list."""
    try:
        file = _File(str(entry["path"]), str(entry["lfs"]["oid"]), int(entry["lfs"]["size"]))
    except (KeyError, TypeError, ValueError):
        return None
    return file if file.path.endswith(".parquet") and re.fullmatch("[0-9a-f]{64}", file.sha256) else None


def _ask(url: str, name: str, kind: type) -> Any:
    """The JSON answer of the hub; anything else is a `UserError` that says what to do."""
    try:
        answer = _get(url).json()
        if not isinstance(answer, kind):
            raise TypeError
        return answer
    except (requests.RequestException, ValueError, TypeError) as error:
        code = getattr(getattr(error, "response", None), "status_code", None)
        reason = f"HTTP {code}" if code else type(error).__name__
        raise UserError(
            f"{name}: {url} gives no list of files ({reason}), which even files at hand or a mirror "
            "are checked against; name another host in HF_ENDPOINT"
        ) from None


def _get(url: str) -> requests.Response:
    response = requests.get(url, timeout=TIMEOUT_SECONDS)
    response.raise_for_status()
    return response
