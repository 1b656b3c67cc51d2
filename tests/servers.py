"""A loopback HTTP server that misbehaves on request, for the tests of everything that downloads."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True)
class Fault:
    """How one answer differs from a good one."""

    status: int = 0  # answer with this code and no file
    cut: int | None = None  # close the connection after so many bytes of the answer's body
    ignore_range: bool = False  # send the whole file with 200, whatever part was asked for
    body: bytes | None = None  # send these bytes instead of the file
    delay: float = 0.0  # wait so many seconds before the answer
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Server:
    """`files` by path ("/a/b"); `faults` of its next answers by path, and "*" for those that have none of their own."""

    url: str
    files: dict[str, bytes]
    faults: dict[str, list[Fault]]
    requests: list[tuple[str, str]] = field(default_factory=list)  # (path, Range header), as they came

    def asked(self, path: str) -> list[str]:
        """The Range headers of all requests for `path`."""
        return [part for where, part in self.requests if where == path]


@contextmanager
def serve(files: dict[str, bytes], faults: dict[str, list[Fault]] | None = None) -> Iterator[Server]:
    """Serve `files` on a free loopback port until the block ends."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    http.daemon_threads = True
    server = Server(f"http://127.0.0.1:{http.server_address[1]}", dict(files), dict(faults or {}))
    http.state = server  # type: ignore[attr-defined]
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    """Answers GET, with ranges, unless a fault says otherwise."""

    def do_GET(self) -> None:
        state: Server = self.server.state  # type: ignore[attr-defined]
        path = unquote(urlsplit(self.path).path)
        state.requests.append((path, self.headers.get("Range", "")))
        queue = state.faults.get(path)
        fault = queue.pop(0) if queue else next(iter(state.faults.get("*", [])), Fault())
        time.sleep(fault.delay)
        body = fault.body if fault.body is not None else state.files.get(path)
        if fault.status or body is None:
            self._head(fault.status or 404, {"Content-Length": "0", **fault.headers})
            return
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked and not fault.ignore_range else 0
        if start and start >= len(body):
            self._head(416, {"Content-Range": f"bytes */{len(body)}", "Content-Length": "0"})
            return
        headers = {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"} if start else {}
        self._head(206 if start else 200, {**headers, "Content-Length": str(len(body) - start), **fault.headers})
        with suppress(ConnectionError):  # the client may give up first
            self.wfile.write(body[start:] if fault.cut is None else body[start:][: fault.cut])

    def _head(self, code: int, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet: the tests look at `requests`."""
