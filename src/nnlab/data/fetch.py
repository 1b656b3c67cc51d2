"""Assets with SHA-256 -> verified files, from the first source that serves them.

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

from nnlab.data.download import DownloadError
from nnlab.data.sources import Source, gunzip, mirror_source
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


def fetch(asset: Asset, folder: Path, mirror: str = "") -> None:
    """Bring every file of `asset` into `folder`, verified, and write `provenance.json` beside them.

    A file that is there and right is kept. `mirror` (or the environment's NNLAB_MIRROR) is a folder or base URL that is
    tried before the asset's own sources. Raises `UserError` listing every source and why it failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mirror = mirror or os.environ.get(MIRROR_VARIABLE, "")
    sources = [mirror_source(mirror, asset.name)] if mirror else []
    failures: dict[str, str] = {}
    missing = [name for name, digest in asset.files.items() if not _at_hand(folder / name, digest, failures)]
    if missing:
        _check_space(asset, folder)
    served: Counter[str] = Counter()
    unserved = 0
    for name in list(missing):
        if source := _from_first(name, asset.files[name], [*sources, *asset.sources], folder, failures):
            served[source] += 1
            missing.remove(name)
        elif (unserved := unserved + 1) == ENOUGH:
            break
    for source, number in served.items():
        print(f"{asset.name}: {number} of {len(asset.files)} files from {source}", file=sys.stderr, flush=True)
    if missing:
        tried = "; ".join(f"{source}: {reason}" for source, reason in failures.items())
        more = f" and {len(missing) - ENOUGH} more" if len(missing) > ENOUGH else ""
        raise UserError(
            f"{asset.name}: cannot get {', '.join(missing[:ENOUGH])}{more}. Tried: {tried or 'no source'}. "
            f"Put the files into {folder}/ by hand, "
            f"or name their folder or base URL in sources.mirror or {MIRROR_VARIABLE}"
        )
    write_provenance(folder, asset.name, asset.note, files=asset.files, **asset.details)
    _clean(folder, asset)


def check(asset: Asset, folder: Path) -> None:
    """`UserError` that names the first file of `asset` in `folder` that is missing or not what was fetched."""
    for name, digest in asset.files.items():
        if not _is(folder / name, digest):
            raise UserError(
                f"{folder / name}: missing or damaged; delete it and run `dvc repro -f -s fetch_{asset.name}`"
            )


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
    own = (path for name in asset.files for path in (folder / name, *folder.glob(f"{glob.escape(name)}.new*")))
    have = sum(path.stat().st_size for path in own if path.is_file())  # not those of another set that lies there
    needed, free = max(0, asset.size - have) + asset.needs, shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(
            f"{asset.name}: needs {needed / 2**30:.1f} GiB on the disk of {folder}, {free / 2**30:.1f} GiB are free; "
            "free some space or take a smaller set"
        )


def _from_first(name: str, digest: str, sources: Sequence[Source], folder: Path, failures: dict[str, str]) -> str:
    """Ask the sources for `name`, with the right checksum; return the name of the one that served it, or nothing.

    `failures` notes why others did not.
    """
    path = folder / name
    staged = folder / f"{name}.new"  # a source writes here; only verified bytes get the real name
    for source in sorted(sources, key=lambda source: source.name in failures):  # one that failed before is asked last
        parts = f"{glob.escape(staged.name)}*.part"
        resumed = any(staged.parent.glob(parts))
        reason = _attempt(source, name, digest, staged)
        if (
            reason and resumed and not any(staged.parent.glob(parts))
        ):  # whole but wrong: begun elsewhere, or damaged since
            reason = _attempt(source, name, digest, staged)
        if not reason:
            staged.replace(path)
            return source.name
        failures[source.name] = reason
    return ""


def _attempt(source: Source, name: str, digest: str, staged: Path) -> str:
    """Get `name` into `staged`; return why that failed, in which case `staged` is gone, or nothing."""
    try:
        source.get(name, staged)
    except DownloadError as error:
        return str(error)
    if _is(staged, digest):
        return ""
    difference = _difference(staged, digest)
    staged.unlink()
    return f"{name} {difference}"


def _at_hand(path: Path, digest: str, failures: dict[str, str]) -> bool:
    """Whether the file is there and right, also as `.gz` put there by hand; a wrong one is removed and noted."""
    packed = path.with_name(path.name + ".gz")
    for _ in ("as it is", "unpacked"):
        if _is(path, digest):
            return True
        if path.exists():
            failures[str(path)] = f"{_difference(path, digest)}, removed"
            path.unlink()
        if packed.exists():
            try:
                gunzip(packed, path)
            except DownloadError as error:
                failures[str(packed)] = f"{error}, removed"
    return False


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and _digest_like(path, digest) == digest


def _digest_like(path: Path, digest: str) -> str:
    """The file's digest by the algorithm of `digest`."""
    return f"md5:{md5(path)}" if digest.startswith("md5:") else sha256(path)


def _difference(path: Path, digest: str) -> str:
    kind = "MD5" if digest.startswith("md5:") else "SHA-256"
    found = _digest_like(path, digest)
    return f"has {kind} {found.removeprefix('md5:')[:12]}… instead of {digest.removeprefix('md5:')[:12]}…"


def _clean(folder: Path, asset: Asset) -> None:
    """Remove what earlier, interrupted fetches left: the folder's hash must depend on the files alone."""
    for path in list(folder.rglob("*")):
        if path.relative_to(folder).as_posix() not in (*asset.files, PROVENANCE) and path.is_file():
            path.unlink()
