"""One HTTP download that survives cut connections: a `.part` file that grows, renamed when it is whole."""

import time
from pathlib import Path

import requests
import urllib3

from nnlab.progress import Progress

TRIES = 3
TIMEOUT_SECONDS = (10.0, 30.0)  # to connect, and between two pieces of data
WAIT_SECONDS = 0.5  # before the next try; doubles while nothing arrives
_BLOCK = 1 << 16


class DownloadError(Exception):
    """A source did not serve a file; the text says why, in a few words."""


def download(url: str, path: Path, *, tries: int = TRIES, timeout: tuple[float, float] = TIMEOUT_SECONDS) -> None:
    """Download `url` to `path`, going on from `<path>.part` if an earlier download left one.

    A connection that breaks is tried again from where it broke, `tries` times without progress. Raises `DownloadError`.
    The `.part` file stays after a failure, so that the next call goes on. The content is not verified here.
    """
    part = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    failures = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            if _receive(url, part, timeout):
                part.replace(path)
                return
            reason = "connection cut"
        except ValueError:  # requests' and urllib3's several errors for a malformed URL are all of this kind
            raise DownloadError(f"{url}: not a valid address") from None
        except requests.RequestException as error:
            reason = _reason(error)
            if getattr(error.response, "status_code", 500) < 500:
                raise DownloadError(f"{url}: {reason}") from None
            if isinstance(error, requests.ConnectionError) and before == 0 and failures == 0 and not part.exists():
                raise DownloadError(f"{url}: {reason}") from None  # unreachable host: the next source is asked at once
        grown = (part.stat().st_size if part.exists() else 0) > before
        failures = 0 if grown else failures + 1
        if failures >= tries:
            raise DownloadError(f"{url}: {reason} ({tries} tries)")
        time.sleep(min(WAIT_SECONDS * 2**failures, 8.0))


def _receive(url: str, part: Path, timeout: tuple[float, float]) -> bool:
    """Append what is missing to `part`; True if it is whole, False if the connection ended early."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    with requests.get(url, headers=headers, stream=True, timeout=timeout) as response:
        if response.status_code == 416:  # nothing after `have`: the part is whole, or not of this file
            whole = response.headers.get("Content-Range", "") == f"bytes */{have}"
            if not whole:
                part.unlink()
            return whole
        response.raise_for_status()
        if response.status_code != 206 or not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            have = 0  # the server ignored the range and sends the whole file
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else None
        with part.open("ab" if have else "wb") as file, Progress(total or 0, part.stem, "B", have) as bar:
            try:
                for block in response.raw.stream(_BLOCK, decode_content=False):  # a .gz stays a .gz, whatever its label
                    file.write(block)
                    bar.update(len(block))
            except urllib3.exceptions.HTTPError:
                return False
    return total is None or part.stat().st_size == total


def _reason(error: requests.RequestException) -> str:
    """A few words instead of a chain of exceptions."""
    if error.response is not None:
        return f"HTTP {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError):
        return "cannot be reached"
    return type(error).__name__
