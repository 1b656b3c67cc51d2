"""params.yaml: what is read, and the one line for everything that is wrong."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError

from nnlab.errors import UserError
from nnlab.sections import Section, load, parse


class Inner(Section):
    epochs: Annotated[int, Field(ge=1, le=100)]
    rate: Annotated[float, Field(gt=0)]
    mode: Literal["a", "b"]
    hidden: list[Annotated[int, Field(ge=1)]]
    named: dict[str, float]


class Whole(Section):
    inner: Inner
    name: str


GOOD = "inner: {epochs: 5, rate: 1e-3, mode: a, hidden: [128, 64], named: {x: 1.0}}\nname: 姓名\n"


def read(tmp_path: Path, text: str | bytes) -> Whole:
    path = tmp_path / "params.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(path, Whole)


def line(tmp_path: Path, text: str | bytes) -> str:
    with pytest.raises(UserError) as caught:
        read(tmp_path, text)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{tmp_path / 'params.yaml'}: ")
    return message.removeprefix(f"{tmp_path / 'params.yaml'}: ")


def test_a_good_file_is_read_and_frozen(tmp_path: Path) -> None:
    whole = read(tmp_path, GOOD)
    assert whole.inner == Inner(epochs=5, rate=0.001, mode="a", hidden=[128, 64], named={"x": 1.0})
    assert whole.name == "姓名"
    with pytest.raises(ValidationError, match="frozen"):
        whole.inner.epochs = 6  # type: ignore[misc]


@pytest.mark.parametrize(("text", "value"), [("1e-05", 1e-5), ("1e-4", 1e-4), ("5E3", 5000.0), ("3", 3.0)])
def test_numbers_are_those_that_dvc_reads_and_writes(tmp_path: Path, text: str, value: float) -> None:
    assert read(tmp_path, GOOD.replace("1e-3", text)).inner.rate == value


def test_words_stay_words(tmp_path: Path) -> None:
    assert read(tmp_path, GOOD.replace("姓名", "no")).name == "no"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("epochs: 5", "epochs: ten", "inner.epochs = 'ten': input should be a valid integer"),
        ("epochs: 5", "epochs: 0", "inner.epochs = 0: input should be greater than or equal to 1"),
        ("epochs: 5", "epochs: 101", "inner.epochs = 101: input should be less than or equal to 100"),
        ("epochs: 5", "epochs: 5.0", "inner.epochs = 5.0: input should be a valid integer"),
        ("epochs: 5", "epochs: true", "inner.epochs = True: input should be a valid integer"),
        ("epochs: 5", "epochs: null", "inner.epochs = None: input should be a valid integer"),
        ("epochs: 5, ", "", "inner.epochs is missing; add it"),
        ("epochs:", "epoch:", "inner.epoch is not a known key; allowed here: epochs, hidden, mode, named"),
        ("epochs: 5", "epochs: 5, more: 1", "inner.more is not a known key; allowed here: epochs, hidden, mode, named"),
        ("rate: 1e-3", "rate: .nan", "inner.rate = nan: input should be a finite number"),
        ("rate: 1e-3", "rate: .inf", "inner.rate = inf: input should be a finite number"),
        ("rate: 1e-3", "rate: 1e999", "inner.rate = inf: input should be a finite number"),
        ("rate: 1e-3", "rate: -1", "inner.rate = -1: input should be greater than 0"),
        ("mode: a", "mode: c", "inner.mode = 'c': input should be 'a' or 'b'"),
        ("[128, 64]", "[0]", "inner.hidden.0 = 0: input should be greater than or equal to 1"),
        ("[128, 64]", "128", "inner.hidden = 128: input should be a valid list"),
        ("{x: 1.0}", "{x: y}", "inner.named.x = 'y': input should be a valid number"),
        ("{x: 1.0}", "{3: 1.0}", "inner.named.3"),
        ("{x: 1.0}", "5", "inner.named = 5: must be a section, with keys of its own"),
        ("name: 姓名", "", "name is missing; add it"),
        ("name: 姓名", "name: 7", "name = 7: input should be a valid string"),
        ("name: 姓名", "name: 2020-01-02", "name = datetime.date(2020, 1, 2): input should be a valid string"),
        ("name: 姓名", "name: x\nextra: 1", "extra is not a known key; allowed here: inner, name"),
        ("name: 姓名", "name: x\nname: y", 'found duplicate key "name" with value "y" (original value: "x") (line 3'),
        ("epochs: 5", "epochs: 5, epochs: 6", 'found duplicate key "epochs"'),
    ],
)
def test_one_line_says_key_value_and_what_is_allowed(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in GOOD
    assert line(tmp_path, GOOD.replace(old, new)).startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "must hold sections (inner, name), found None"),
        ("- 1\n- 2", "must hold sections (inner, name), found [1, 2]"),
        ("just words", "must hold sections"),
        ("a: [1", "not valid YAML: expected ',' or ']'"),
        ("a: b: c", "not valid YAML: mapping values are not allowed"),
        ("\ta: 1", "not valid YAML"),
        ("a: !!python/object:os.system x", "not valid YAML: could not determine a constructor"),
        ("a: 2020-13-45", "not valid YAML: month must be in 1..12"),
        ("a: " + "9" * 5000, "not valid YAML: Exceeds the limit"),
        ("[" * 5000, "not valid YAML: nested too deeply"),
        ("a: 1\n---\nb: 2", "not valid YAML: but found another document"),
        ("a: *nowhere", "not valid YAML: found undefined alias"),
        (b"\xff\xfe\x00\x01", "not a UTF-8 text file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not a UTF-8 text file"),
        (b"a\x00b", "not valid YAML: unacceptable character"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_parameter_file_is_refused_in_one_line(
    tmp_path: Path, text: str | bytes, expected: str
) -> None:
    assert line(tmp_path, text).startswith(expected)


def test_a_file_that_is_not_there_says_where_to_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not found; run from the project's folder"):
        load(tmp_path / "params.yaml", Whole)


def test_a_file_that_refers_to_itself_or_explodes_is_refused_cheaply(tmp_path: Path) -> None:
    assert line(tmp_path, "inner: &a [*a]\nname: x").startswith("inner = [[[")
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 60))
    message = line(tmp_path, bomb + "inner: *a59\nname: x")
    assert len(message) < 200
    assert line(tmp_path, bomb.replace("a0: ", "inner: ") + "name: *a59").startswith("inner")


def test_a_long_value_is_shown_short(tmp_path: Path) -> None:
    assert len(line(tmp_path, GOOD.replace("mode: a", f"mode: {'long' * 1000}"))) < 150
    assert line(tmp_path, GOOD.replace("mode: a", "mode: 0x" + "f" * 9000)).startswith("inner.mode = a number of 36000")


def test_an_integer_that_no_computation_can_take_is_refused(tmp_path: Path) -> None:
    message = line(tmp_path, GOOD.replace("128", "9" * 400))
    assert message.startswith("inner.hidden = ")
    assert message.endswith(": a number is too large")
    assert read(tmp_path, GOOD.replace("128", str(2**53 - 1))).inner.hidden == [2**53 - 1, 64]


def test_the_origin_of_values_begins_the_line() -> None:
    with pytest.raises(UserError, match=r"^somewhere: inner is missing"):
        parse({"name": "x"}, Whole, "somewhere")
