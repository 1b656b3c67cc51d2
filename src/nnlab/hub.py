"""Data sets on Hugging Face: their list of parquet files, with the SHA-256 that the hub keeps of each."""

import os
from pathlib import Path
from typing import Any

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
    found = [entry for entry in tree if str(entry.get("path", "")).endswith(".parquet") and "lfs" in entry]
    paths = {entry["path"].replace("/", "_"): entry["path"] for entry in found}
    if not paths:
        raise UserError(f"{name}: {api} lists no parquet files; is it the data set {repository}?")

    def get(file: str, path: Path) -> None:
        try:
            download(f"{endpoint}/datasets/{repository}/resolve/{revision}/{paths[file]}", path)
        except requests.RequestException as error:
            raise DownloadError(type(error).__name__) from None

    return Asset(
        name=name,
        note=f"Hugging Face data set {repository}; the paintings' licences differ, research use",
        files={entry["path"].replace("/", "_"): entry["lfs"]["oid"] for entry in found},
        sources=(Source(endpoint, get),),
        details={"repository": repository, "revision": revision},
        size=sum(entry["lfs"]["size"] for entry in found),
        needs=needs,
    )


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
        raise UserError(f"{name}: {url} gives no list of files ({reason}); name another host in HF_ENDPOINT") from None
