"""Downloads against a server that cuts, refuses, stalls and lies."""

import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from nnlab.data import download as module
from nnlab.data.download import TRIES_BEGUN, DownloadError, download
from tests.servers import Fault, serve
from tests.tools import needs

pytestmark = pytest.mark.faults
CONTENT = bytes(range(256)) * 2000  # 512,000 bytes, eight blocks


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were asked for; none is made."""
    asked: list[float] = []
    monkeypatch.setattr(module, "sleep", asked.append)
    monkeypatch.setattr(module, "TIMEOUT_SECONDS", (2.0, 0.3))
    return asked


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_a_file_arrives_whole_and_leaves_no_part(tmp_path: Path) -> None:
    with serve({"/f": CONTENT}) as server:
        download(f"{server.url}/f", tmp_path / "deep" / "f")
    assert (tmp_path / "deep" / "f").read_bytes() == CONTENT
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["f"]


def test_an_empty_file_is_a_file(tmp_path: Path) -> None:
    with serve({"/f": b""}) as server:
        download(f"{server.url}/f", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == b""


@pytest.mark.parametrize("cut", [0, 1, 65_536, 300_000, 511_999])
def test_a_cut_connection_goes_on_where_it_broke(tmp_path: Path, cut: int) -> None:
    with serve({"/f": CONTENT}, {"/f": [Fault(cut=cut)]}) as server:
        download(f"{server.url}/f", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert server.asked("/f") == ["", f"bytes={cut}-" if cut else ""]


def test_a_download_cut_again_and_again_ends_while_it_grows(tmp_path: Path) -> None:
    with serve({"/f": CONTENT}, {"/f": [Fault(cut=100_000)] * 5}) as server:
        download(f"{server.url}/f", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert len(server.requests) == 6


def test_an_interrupted_download_resumes_in_the_next_call(tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(CONTENT[:123_456])
    with serve({"/f": CONTENT}) as server:
        download(f"{server.url}/f", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert server.asked("/f") == ["bytes=123456-"]
    assert not (tmp_path / "f.part").exists()


def test_a_part_that_is_whole_needs_no_more_bytes(tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(CONTENT)
    with serve({"/f": CONTENT}) as server:
        download(f"{server.url}/f", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_a_part_longer_than_the_file_is_thrown_away(tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(CONTENT + b"more")
    with serve({"/f": CONTENT}) as server:
        download(f"{server.url}/f", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_a_server_that_ignores_ranges_costs_a_restart_only(tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(b"other bytes")
    with serve({"/f": CONTENT}, {"/f": [Fault(ignore_range=True)]}) as server:
        download(f"{server.url}/f", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_a_body_of_unknown_length_arrives(tmp_path: Path) -> None:
    with serve({"/f": CONTENT}, {"/f": [Fault(no_length=True)]}) as server:
        download(f"{server.url}/f", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_a_packed_file_stays_packed_whatever_the_server_calls_it(tmp_path: Path) -> None:
    import gzip

    packed = gzip.compress(CONTENT)
    with serve({"/f.gz": packed}, {"/f.gz": [Fault(headers={"Content-Encoding": "gzip"})]}) as server:
        download(f"{server.url}/f.gz", tmp_path / "f.gz")
    assert (tmp_path / "f.gz").read_bytes() == packed


@pytest.mark.parametrize(("status", "asked"), [(404, 1), (403, 1), (408, 3), (429, 3), (500, 3), (503, 3), (304, 1)])
def test_a_refusal_is_named_and_only_a_passing_one_is_tried_again(tmp_path: Path, status: int, asked: int) -> None:
    with serve({"/f": CONTENT}, {"*": [Fault(status=status)]}) as server:
        with pytest.raises(DownloadError, match=f"HTTP {status}"):
            download(f"{server.url}/f", tmp_path / "f")
        assert len(server.requests) == asked
    assert list(tmp_path.iterdir()) == []


def test_a_server_error_that_passes_is_survived(tmp_path: Path) -> None:
    with serve({"/f": CONTENT}, {"/f": [Fault(status=500), Fault(status=502)]}) as server:
        download(f"{server.url}/f", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_a_server_is_waited_for_as_long_as_it_asks_within_bounds(tmp_path: Path, waits: list[float]) -> None:
    busy = [Fault(status=429, headers={"Retry-After": asked}) for asked in ("7", "86400")]
    with serve({"/f": CONTENT}, {"/f": busy}) as server:
        download(f"{server.url}/f", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert waits == [7.0, 60.0]


@pytest.mark.parametrize("asked", ["Wed, 21 Oct 2037 07:28:00 GMT", "soon", "-5"])
def test_another_retry_after_than_seconds_is_the_usual_pause(tmp_path: Path, waits: list[float], asked: str) -> None:
    with serve({"/f": CONTENT}, {"/f": [Fault(status=503, headers={"Retry-After": asked})]}) as server:
        download(f"{server.url}/f", tmp_path / "f")
    assert waits == [1.0]


def test_a_silent_server_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT_SECONDS", (2.0, 0.1))
    with (
        serve({"/f": CONTENT}, {"*": [Fault(delay=0.3)]}) as server,
        pytest.raises(DownloadError, match="no answer in time"),
    ):
        download(f"{server.url}/f", tmp_path / "f")


def test_a_server_that_stalls_in_the_middle_keeps_the_first_half(tmp_path: Path) -> None:
    with serve({"/f": CONTENT}, {"/f": [Fault(pause=0.8)]}) as server:
        download(f"{server.url}/f", tmp_path / "f")
        assert (tmp_path / "f").read_bytes() == CONTENT
        assert server.asked("/f")[1].startswith("bytes=")


def test_a_connection_that_is_always_cut_is_given_up_and_keeps_the_part(tmp_path: Path) -> None:
    with (
        serve({"/f": CONTENT}, {"/f": [Fault(cut=1000)] + [Fault(cut=0)] * 20}) as server,
        pytest.raises(DownloadError, match=r"connection cut \(10 tries\)"),
    ):
        download(f"{server.url}/f", tmp_path / "f")
    assert (tmp_path / "f.part").read_bytes() == CONTENT[:1000]
    assert not (tmp_path / "f").exists()


@pytest.mark.parametrize("fault", [Fault(cut=0), Fault(status=502), Fault(status=429)])
def test_an_outage_in_the_middle_is_sat_out_and_again_after_the_next_bytes(
    tmp_path: Path, waits: list[float], fault: Fault
) -> None:
    outage = [Fault(cut=1000)] + [fault] * (TRIES_BEGUN - 1)
    with serve({"/f": CONTENT}, {"/f": outage * 2}) as server:
        download(f"{server.url}/f", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert sum(waits) / 2 > 60
    assert max(waits) == 16


def test_a_port_where_nobody_listens_is_left_at_once(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DownloadError, match=r"cannot be reached$"):
        download(f"http://127.0.0.1:{port}/f", tmp_path / "f")


@pytest.mark.parametrize("url", ["http://", "http://a..b/f", "http://[::1/f", "ftp://127.0.0.1/f", "no address", ""])
def test_an_address_that_is_none_is_refused_without_waiting(tmp_path: Path, url: str) -> None:
    with pytest.raises(DownloadError, match=r"not a valid address|cannot be reached"):
        download(url, tmp_path / "f")


def test_something_that_is_not_http_is_a_failure_not_a_file(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk() -> None:
            for _ in range(3):
                connection, _address = listener.accept()
                connection.recv(4096)
                connection.sendall(b"SSH-2.0-hello\r\n")
                connection.close()

        threading.Thread(target=talk, daemon=True).start()
        with pytest.raises(DownloadError):
            download(f"http://127.0.0.1:{listener.getsockname()[1]}/f", tmp_path / "f")
    assert not (tmp_path / "f").exists()


PAGE = b"<html>Please log in</html>" * 100
ANOTHER = {"Content-Range": f"bytes 0-9/{len(CONTENT)}"}


@pytest.mark.parametrize(
    "fault",
    [
        Fault(body=PAGE, ignore_range=True),
        Fault(body=PAGE * 1000, ignore_range=True, headers={"Content-Type": "Text/HTML; charset=utf-8"}),
        Fault(body=PAGE, ignore_range=True, no_length=True, headers={"Content-Type": "text/html"}),
        Fault(headers=ANOTHER),
        Fault(status=204),
    ],
    ids=["shorter", "long page", "page of unknown length", "another range", "nothing"],
)
def test_what_is_not_the_rest_of_the_file_does_not_cost_what_is_there(tmp_path: Path, fault: Fault) -> None:
    (tmp_path / "f.part").write_bytes(CONTENT[:400_000])
    with serve({"/f": CONTENT}, {"/f": [fault]}) as server:
        with pytest.raises(DownloadError, match=r"answers with no file .* remove .*f\.part"):
            download(f"{server.url}/f", tmp_path / "f")
        assert (tmp_path / "f.part").read_bytes() == CONTENT[:400_000]
        download(f"{server.url}/f", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_redirects_without_end_are_named(tmp_path: Path) -> None:
    loop = {
        "/a": [Fault(status=302, headers={"Location": "/b"})] * 99,
        "/b": [Fault(status=301, headers={"Location": "/a"})] * 99,
    }
    with serve({}, loop) as server, pytest.raises(DownloadError, match=r"/a: redirects without end$"):
        download(f"{server.url}/a", tmp_path / "f")
    assert list(tmp_path.iterdir()) == []


def test_a_redirect_is_followed(tmp_path: Path) -> None:
    with serve({"/b": CONTENT}, {"/a": [Fault(status=302, headers={"Location": "/b"})]}) as server:
        download(f"{server.url}/a", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_a_server_whose_certificate_nobody_signed_is_not_believed(tmp_path: Path) -> None:
    needs("openssl")
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
    subprocess.run([*command, *names], check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with serve({"/f": CONTENT}, tls=tls) as server:
        with pytest.raises(DownloadError, match=r"no secure connection \(TLS\)$"):
            download(f"{server.url}/f", tmp_path / "f")
        assert server.requests == []
    assert not (tmp_path / "f").exists()
