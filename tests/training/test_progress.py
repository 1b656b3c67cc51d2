"""Progress: plain lines in a log, nothing else on standard output."""

import pytest

from nnlab.training.progress import Progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that the test turns: clock[0] is the time in seconds."""
    now = [100.0]
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])
    return now


def test_a_log_gets_a_line_at_the_start_every_ten_seconds_and_at_the_end(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress(100, "training") as bar:
        for _ in range(4):
            clock[0] += 5.0
            bar.update(10, loss=0.123456)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "training: 0/100 it, ?it/s, ? left",
        "training: 20/100 it,  2.00it/s, 00:40 left, loss=0.1235",
        "training: 40/100 it,  2.00it/s, 00:30 left, loss=0.1235",
        "training: 40/100 it,  2.00it/s, 00:30 left, loss=0.1235",
    ]


def test_a_resumed_job_counts_its_own_speed(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(100, "training", start=85) as bar:
        clock[0] += 10.0
        bar.update(10)
    assert capsys.readouterr().err.splitlines()[1] == "training: 95/100 it,  1.00it/s, 00:05 left"


def test_a_terminal_gets_a_bar_with_the_named_values(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with Progress(10, "training", start=4) as bar:
        bar.update(6, loss=0.25)
    shown = capsys.readouterr().err
    assert "training" in shown
    assert "10/10" in shown
    assert "loss=0.25" in shown
