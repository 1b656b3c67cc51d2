"""WikiArt's paintings: parquet files of a Hugging Face data set at one commit, with the SHA-256 that the hub keeps."""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from nnlab.data.catalog import PROVENANCE, Asset, fetch, read_provenance
from nnlab.data.download import DownloadError, Source
from nnlab.data.sets import PACKED_BYTES
from nnlab.errors import UserError

try:
    import huggingface_hub
except ImportError:  # the extra "wikiart"
    huggingface_hub = None  # type: ignore[assignment]

ENDPOINT = "https://huggingface.co"
# The repository and the bytes of what is made of it, by the name in params.yaml.
SETS = {
    "wikiart": ("Artificio/WikiArt", 103_250 * PACKED_BYTES // 4),
    "wikiart_full": ("huggan/wikiart", 81_444 * PACKED_BYTES),
}


def wikiart(choice: str, mirror: str = "") -> dict[str, Callable[[Path], None]]:
    """What fetches each set into a folder; of `choice` "<name>@<commit>" that commit, whatever is newest or there."""
    name, _, commit = choice.partition("@")
    commits = {name: commit}
    return {
        f"{known}@{commits[known]}" if commits.get(known) else known: partial(
            _fetch, known, commit=commits.get(known, ""), mirror=mirror
        )
        for known in SETS
    }


def _fetch(name: str, folder: Path, *, commit: str, mirror: str) -> None:
    """The parquet files at `commit`, else at the one that lies in `folder`, else at the newest.

    The environment's HF_ENDPOINT names another host than the hub. `mirror`: see `data.catalog.fetch`.
    """
    repository, needs = SETS[name]
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or ENDPOINT
    files, details = _noted(name, folder, commit) or _asked(name, endpoint, commit)

    def get(file: str, path: Path) -> None:
        if huggingface_hub is None:
            raise DownloadError("huggingface_hub is not installed")
        try:
            huggingface_hub.snapshot_download(
                repository,
                repo_type="dataset",
                revision=details["revision"],
                allow_patterns=file,
                local_dir=path.parents[file.count("/")],
                endpoint=endpoint,
            )
        except Exception as error:  # those of its HTTP libraries, which differ by version, and a disk's
            raise DownloadError(_line(error)) from None

    asset = Asset(
        name=name,
        note=f"Hugging Face data set {repository}; the paintings' licences differ, research use",
        files=files,
        sources=(Source(endpoint, get),),
        details=details,
        size=sum(details["sizes"].values()),
        needs=needs,
    )
    fetch(asset, folder, mirror)


def _noted(name: str, folder: Path, commit: str) -> tuple[dict[str, str], dict[str, Any]] | None:
    """Files and details that an earlier fetch left in `folder`, at `commit` if that is given."""
    try:
        record = read_provenance(folder / PROVENANCE)
        details = {key: record[key] for key in ("repository", "revision", "sizes")}
    except (UserError, KeyError):
        return None
    if details["repository"] != SETS[name][0] or commit not in ("", details["revision"]):
        return None
    print(
        f"{name}: commit {details['revision'][:12]}, as {folder / PROVENANCE} has it (for the newest: remove that "
        f"file, `dvc repro -s -f fetch_{folder.name}`)",
        file=sys.stderr,
        flush=True,
    )
    return record["files"], details


def _asked(name: str, endpoint: str, commit: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Files and details at `commit`, or at the newest, from the hub."""
    if huggingface_hub is None:
        raise UserError(f"{name}: needs huggingface_hub and pyarrow; `pip install huggingface_hub pyarrow`")
    repository = SETS[name][0]
    try:
        info = huggingface_hub.HfApi(endpoint).dataset_info(repository, revision=commit or None, files_metadata=True)
        found = {
            file.rfilename: file.lfs for file in info.siblings or [] if file.lfs and file.rfilename.endswith(".parquet")
        }
        if not found:
            raise ValueError("no parquet files with checksums")
    except Exception as error:  # see above; a page that is no answer of a hub raises what it likes
        raise UserError(
            f"{name}: {endpoint} does not list the files of {repository} ({_line(error)}); "
            "name another host in HF_ENDPOINT"
        ) from None
    files = {path: file.sha256 for path, file in found.items()}
    sizes = {path: file.size for path, file in found.items()}
    return files, {"repository": repository, "revision": info.sha, "sizes": sizes}


def _line(error: Exception) -> str:
    return " ".join((str(error) or type(error).__name__).split())[:160]
