"""Assets with SHA-256 -> verified files, from the first source that serves them.

Whichever source answers, the bytes are the same. Nothing is left under a file's name before its checksum was right.
"""

import glob
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnlab.download import DownloadError
from nnlab.errors import UserError
from nnlab.files import atomic, sha256
from nnlab.sources import Source, gunzip, mirror_source

MIRROR_VARIABLE = "NNLAB_MIRROR"


@dataclass(frozen=True)
class Asset:
    """A named set of files: `files` maps each name to the SHA-256 of its content."""

    name: str
    files: dict[str, str]
    sources: Sequence[Source]
    note: str = ""
    details: dict[str, Any] = field(default_factory=dict)  # more keys for provenance.json


def fetch(asset: Asset, folder: Path, mirror: str = "") -> None:
    """Bring every file of `asset` into `folder`, verified, and write `provenance.json` beside them.

    A file that is there and right is kept. `mirror` (or the environment's NNLAB_MIRROR) is a folder or base URL that is
    tried before the asset's own sources. Raises `UserError` listing every source and why it failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mirror = mirror or os.environ.get(MIRROR_VARIABLE, "")
    sources = [mirror_source(mirror, asset.name)] if mirror else []
    failures: dict[str, str] = {}
    for name, digest in asset.files.items():
        if not _at_hand(folder / name, digest, failures):
            _from_first(name, digest, [*sources, *asset.sources], folder, failures)
    missing = [name for name, digest in asset.files.items() if not _is(folder / name, digest)]
    if missing:
        tried = "; ".join(f"{source}: {reason}" for source, reason in failures.items())
        raise UserError(
            f"{asset.name}: cannot get {', '.join(missing)}. Tried: {tried or 'no source'}. "
            f"Put the files into {folder}/ by hand, "
            f"or name their folder or base URL in sources.mirror or {MIRROR_VARIABLE}"
        )
    _clean(folder, asset)
    write_provenance(folder, asset.name, asset.note, files=asset.files, **asset.details)


def write_provenance(folder: Path, name: str, note: str, *, stand_in: bool = False, **details: Any) -> None:
    """Write `provenance.json`: what the files in `folder` are; `stand_in` if they replace what was asked for."""
    with atomic(folder / "provenance.json") as temporary:
        record = {"name": name, "note": note, "stand_in": stand_in, **details}
        temporary.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _from_first(name: str, digest: str, sources: Sequence[Source], folder: Path, failures: dict[str, str]) -> None:
    """Ask the sources in turn until one serves `name` with the right checksum; `failures` notes why others did not."""
    path = folder / name
    staged = folder / f"{name}.new"  # a source writes here; only verified bytes get the real name
    for source in sorted(sources, key=lambda source: source.name in failures):  # one that failed before is asked last
        resumed = any(folder.glob(f"{glob.escape(staged.name)}*.part"))
        reason = _attempt(source, name, digest, staged)
        if reason and resumed:  # the beginning may have come from elsewhere, or have been damaged since
            for part in folder.glob(f"{glob.escape(staged.name)}*.part"):
                part.unlink()
            reason = _attempt(source, name, digest, staged)
        if not reason:
            staged.replace(path)
            print(f"{name}: fetched from {source.name}", file=sys.stderr, flush=True)
            return
        failures[source.name] = reason


def _attempt(source: Source, name: str, digest: str, staged: Path) -> str:
    """Get `name` into `staged`; return why that failed, in which case `staged` is gone, or nothing."""
    try:
        source.get(name, staged)
    except DownloadError as error:
        return str(error)
    found = sha256(staged)
    if found == digest:
        return ""
    staged.unlink()
    return f"{name} has SHA-256 {found[:12]}… instead of {digest[:12]}…"


def _at_hand(path: Path, digest: str, failures: dict[str, str]) -> bool:
    """Whether the file is there and right, also as `.gz` put there by hand; a wrong one is removed and noted."""
    packed = path.with_name(path.name + ".gz")
    for _ in ("as it is", "unpacked"):
        if _is(path, digest):
            return True
        if path.exists():
            failures[str(path)] = f"has SHA-256 {sha256(path)[:12]}… instead of {digest[:12]}…, removed"
            path.unlink()
        if packed.exists():
            try:
                gunzip(packed, path)
            except DownloadError as error:
                failures[str(packed)] = f"{error}, removed"
    return False


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and sha256(path) == digest


def _clean(folder: Path, asset: Asset) -> None:
    """Remove what earlier, interrupted fetches left: the folder's hash must depend on the files alone."""
    for path in folder.iterdir():
        if path.name not in asset.files and path.is_file():
            path.unlink()
