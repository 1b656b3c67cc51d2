import io
import os
import sys

import pytest

from nnlab import cli
from nnlab.errors import UserError


def run(arguments, capsys):
    code = cli.main(arguments)
    return code, *capsys.readouterr()


@pytest.mark.parametrize("arguments", [[], ["paint"], ["stylize", "--content", "a.jpg"]])
def test_wrong_usage_is_exit_code_2(arguments, capsys):
    code, out, err = run(arguments, capsys)
    assert (code, out) == (2, "")
    assert err.startswith("nnlab: error: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UserError("a.jpg: not found;\n give another"), 1, "nnlab: error: a.jpg: not found; give another\n"),
        (
            OSError(28, "No space left on device", "out.jpg"),
            1,
            "nnlab: error: out.jpg: No space left on device; free some space and run the same command again\n",
        ),
        (KeyboardInterrupt(), 130, "nnlab: error: interrupted; finished pictures are whole\n"),
    ],
)
def test_what_a_user_can_cause_is_one_line(error, code, line, monkeypatch, capsys):
    def fail(options):
        raise error

    monkeypatch.setattr(cli.adain, "export", fail)
    assert run(["export", "--output", "folder"], capsys) == (code, "", line)


def test_a_bug_is_not_hidden(monkeypatch):
    monkeypatch.setattr(cli.adain, "export", lambda options: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cli.main(["export", "--output", "folder"])


def test_a_name_that_is_not_utf_8_is_printed_with_escapes(monkeypatch):
    shown = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="strict", write_through=True)
    monkeypatch.setattr(sys, "stdout", shown)
    monkeypatch.setattr(cli.adain, "export", lambda options: print(options.output))
    assert cli.main(["export", "--output", os.fsdecode(b"r\xe9sult")]) == 0
    assert shown.buffer.getvalue() == rb"r\udce9sult" + b"\n"
