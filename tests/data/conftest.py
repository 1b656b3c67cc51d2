"""Downloads in these tests wait for nothing, and ask no proxy for the loopback servers."""

import pytest

from nnlab.data import download


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were asked for; none is made."""
    asked: list[float] = []
    monkeypatch.setattr(download, "sleep", asked.append)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return asked
