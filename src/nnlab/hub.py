"""Data sets on Hugging Face: their list of parquet files, with the SHA-256 that the hub keeps of each."""

import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import requests

from nnlab.download import DownloadError, download
from nnlab.errors import UserError
from nnlab.fetch import Asset
from nnlab.sources import Source

ENDPOINT = "https://huggingface.co"
_TIMEOUT = (10.0, 30.0)  # seconds to connect, and to answer


def dataset_asset(name: str, repository: str, needs: int) -> Asset:
    """The parquet files of a data set at its newest revision; the environment's HF_ENDPOINT names another host."""
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or ENDPOINT
    api = f"{endpoint}/api/datasets/{repository}"
    revision = _ask(f"{api}/revision/main", name, dict).get("sha", "main")
    tree = _ask(f"{api}/tree/{revision}?recursive=true", name, list)
    found = [entry for entry in map(_parquet, tree) if entry]
    if not found:
        raise UserError(f"{name}: {api} lists no parquet files with checksums; is it the data set {repository}?")
    paths = {entry.path.replace("/", "_"): entry.path for entry in found}

    def get(file: str, path: Path) -> None:
        try:
            download(f"{endpoint}/datasets/{repository}/resolve/{revision}/{paths[file]}", path)
        except requests.RequestException as error:
            raise DownloadError(type(error).__name__) from None

    return Asset(
        name=name,
        note=f"Hugging Face data set {repository}; the paintings' licences differ, research use",
        files={entry.path.replace("/", "_"): entry.sha256 for entry in found},
        sources=(Source(endpoint, get),),
        details={"repository": repository, "revision": revision},
        size=sum(entry.size for entry in found),
        needs=needs,
    )


class _File(NamedTuple):
    """One file of a data set, as the hub lists it."""

    path: str
    sha256: str
    size: int


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
        with requests.get(url, timeout=_TIMEOUT) as response:
            response.raise_for_status()
            if not isinstance(answer := response.json(), kind):
                raise TypeError
            return answer
    except (requests.RequestException, ValueError, TypeError) as error:
        code = getattr(getattr(error, "response", None), "status_code", None)
        reason = f"HTTP {code}" if code else type(error).__name__
        raise UserError(
            f"{name}: {url} gives no list of files ({reason}), which even files at hand or a mirror "
            "are checked against; name another host in HF_ENDPOINT"
        ) from None
