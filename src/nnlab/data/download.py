"""One HTTP download that survives cut connections: a `.part` file that grows, renamed when it is whole."""

from pathlib import Path
from time import sleep

import requests
import urllib3

from nnlab.training.progress import Progress

TRIES = 3
TRIES_BEGUN = 10  # once bytes have arrived: an outage of a minute must not end a download of hours
TIMEOUT_SECONDS = (10.0, 30.0)  # to connect, and between two pieces of data
WAIT_SECONDS = 0.5  # before the next try; doubles while nothing arrives
LONGEST_WAIT_SECONDS = 16.0
LONGEST_ASKED_SECONDS = 60.0  # of what a server may ask for in Retry-After
_PASSING = (408, 429)  # request timeout, too many requests: of the client errors, those that pass
_BLOCK = 1 << 16


class DownloadError(Exception):
    """A source did not serve a file; the text says why, in a few words."""


class NotThereError(DownloadError):
    """The source has no such file."""


def download(url: str, path: Path) -> None:
    """Download `url` to `path`, going on from `<path>.part` if an earlier download left one.

    A connection that breaks is tried again from where it broke, `TRIES` times without progress, or `TRIES_BEGUN` times
    once bytes have arrived. Raises `DownloadError`. The `.part` file stays after a failure, so that the next call goes
    on. The content is not verified here.
    """
    part = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    failures, tries = 0, TRIES
    while True:
        before, error = _size(part), None
        try:
            if _receive(url, part):
                part.replace(path)
                return
            reason = "connection cut"
        except ValueError:  # requests' and urllib3's several errors for a malformed URL are all of this kind
            raise DownloadError(f"{url}: not a valid address") from None
        except requests.RequestException as problem:
            error, reason = problem, _reason(problem)
            fresh = before == 0 and failures == 0 and not part.exists()
            if not passes(error) or (isinstance(error, requests.ConnectionError) and fresh):
                kind = NotThereError if reason.startswith("HTTP 404") else DownloadError
                raise kind(f"{url}: {reason}") from None  # of a host out of reach: the next source is asked
        failures += 1
        if _size(part) > before:
            failures, tries = 0, TRIES_BEGUN
        if failures >= tries:
            raise DownloadError(f"{url}: {reason} ({tries} tries)")
        pause(failures, error)


def passes(error: requests.RequestException) -> bool:
    """Whether the same request may succeed later."""
    code = 503 if error.response is None else error.response.status_code
    return code >= 500 or code in _PASSING


def pause(failures: int, error: Exception | None) -> None:
    """Wait before the next try: longer after each failure, or as long as the server asks for, within bounds."""
    response = getattr(error, "response", None)
    asked = "" if response is None else response.headers.get("Retry-After", "")
    if asked.isdecimal():  # in seconds; a date is not looked at
        sleep(min(float(asked), LONGEST_ASKED_SECONDS))
    else:
        sleep(min(WAIT_SECONDS * 2**failures, LONGEST_WAIT_SECONDS))


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


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
        have = _begin(response, url, part, have)
        length = response.headers.get("Content-Length", "")
        total = have + int(length) if length.isdecimal() else None
        with part.open("ab" if have else "wb") as file, Progress(total or 0, part.stem, "B", have) as bar:
            try:
                for block in response.raw.stream(_BLOCK, decode_content=False):  # a .gz stays a .gz, whatever its label
                    file.write(block)
                    bar.update(len(block))
            except urllib3.exceptions.HTTPError:
                return False
    return total is None or part.stat().st_size == total


def _begin(response: requests.Response, url: str, part: Path, have: int) -> int:
    """Where in the file the answer begins: at `have`, or at 0 if the server ignored the range and sends all of it.

    `DownloadError`, and the part stays, where the answer is plainly not the file: a page of a network that wants a
    login, say, must not cost what hours have brought.
    """
    if response.status_code == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
        return have
    length, kind = response.headers.get("Content-Length", ""), response.headers.get("Content-Type", "").lower()
    page = kind.startswith("text/html") or (length.isdecimal() and int(length) < have)
    if response.status_code != 200 or (have and page):
        hint = f"; if that stays so, remove {part}" if have else ""
        raise DownloadError(f"{url}: answers with no file (HTTP {response.status_code}, {kind or 'no type'}){hint}")
    return 0


def _reason(error: requests.RequestException) -> str:
    """A few words instead of a chain of exceptions."""
    if isinstance(error, requests.TooManyRedirects):
        return "redirects without end"
    if error.response is not None:
        return f"HTTP {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "no secure connection (TLS)"
    if isinstance(error, requests.ConnectionError):
        return "cannot be reached"
    return type(error).__name__
