"""params.yaml: what is read, as DVC reads it; the one line for everything that is wrong; the committed file."""

import re
from pathlib import Path
from typing import Annotated, Literal

import pytest
import yaml
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import parse_yaml
from pydantic import Field, ValidationError

from nnlab.errors import UserError
from nnlab.params import Params, load_params
from nnlab.sections import Section, YamlLoader, load, parse
from tests.quick import ROOT

TEXT = (ROOT / "params.yaml").read_text(encoding="utf-8")
HEADED = r"# ----.*\n\w+:"


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


def read(tmp_path: Path, text: str) -> Whole:
    (path := tmp_path / "params.yaml").write_bytes(text.encode(errors="surrogateescape"))
    return load(path, Whole)


def test_a_good_file_is_read_and_frozen(tmp_path: Path) -> None:
    whole = read(tmp_path, GOOD)
    inner = Inner(epochs=5, rate=0.001, mode="a", hidden=[128, 64], named={"x": 1.0})
    assert whole == Whole(inner=inner, name="姓名")
    with pytest.raises(ValidationError, match="frozen"):
        whole.inner.epochs = 6  # type: ignore[misc]


ODD = """1e-4 1E5 1e+3 .5 5. -.5 .5e-3 .5e3 +1 -0 007 010 0o17 0x1F 0b101 1_000 1_0.5 1:30 1:30.5 yes no on off y n true
True TRUE tRUE false ~ null Null nul .inf -.Inf .nan nan 1.2.3 1e 1e- e5 2020-01-02 12e03 0.1e-05 1e-05 -1.5E-7 0x 0o8
08 '1' "no" 姓名 1. 190:20:30 685_230.15 _1 None"""


@pytest.mark.parametrize("scalar", [*ODD.split(), pytest.param(TEXT, id="the committed file")])
def test_every_scalar_and_the_committed_file_are_what_dvc_reads(scalar: str) -> None:
    text = scalar if scalar == TEXT else f"a: {scalar}\nb: [{scalar}, {{{scalar}: 1}}]"
    assert repr(yaml.load(text, YamlLoader)) == repr(parse_yaml(text, "params.yaml"))


def test_experiments_that_dvc_writes_into_the_file_keep_its_comments(tmp_path: Path) -> None:
    (path := tmp_path / "params.yaml").write_text(TEXT, encoding="utf-8")
    for _ in range(2):  # DVC moves a heading into a list that stands before it, and then loses it
        apply_overrides(path, ["adain.alpha=[0.2,0.5,0.8]"])
    assert re.findall(HEADED, path.read_text(encoding="utf-8")) == re.findall(HEADED, TEXT) != []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("epochs: 5", "epochs: ten", "inner.epochs = 'ten': input should be a valid integer"),
        ("epochs: 5", "epochs: 0", "inner.epochs = 0: input should be greater than or equal to 1"),
        ("epochs: 5", "epochs: 5.0", "inner.epochs = 5.0: input should be a valid integer"),
        ("epochs: 5, ", "", "inner.epochs is missing; add it"),
        ("epochs:", "epoch:", "inner.epoch is not a known key; allowed here: epochs, hidden, mode, named"),
        ("rate: 1e-3", "rate: .nan", "inner.rate = nan: input should be a finite number"),
        ("rate: 1e-3", "rate: -1", "inner.rate = -1: input should be greater than 0"),
        ("mode: a", "mode: c", "inner.mode = 'c': input should be 'a' or 'b'"),
        ("mode: a", f"mode: {'long' * 1000}", "inner.mode = 'longlonglong...glonglonglong': input should be"),
        ("[128, 64]", "[0]", "inner.hidden.0 = 0: input should be greater than or equal to 1"),
        ("{x: 1.0}", "{1: 1.0}", "inner.named.1 = 1: must be text; put it in quotes"),
        ("{x: 1.0}", "5", "inner.named = 5: must be a section, with keys of its own"),
        ("name: 姓名", "name: x\nextra: 1", "extra is not a known key; allowed here: inner, name"),
        (GOOD, "", "must hold sections (inner, name), found None"),
        (GOOD, "- 1\n- 2", "must hold sections (inner, name), found [1, 2]"),
        (GOOD, "a: [1", "not valid YAML: expected ',' or ']', but got '<stream end>' (line 1, column 6)"),
        (GOOD, "\ta: 1", r"not valid YAML: found character '\t' that cannot start any token (line 1, column 1)"),
        (GOOD, "a: 2020-13-45", "not valid YAML: month must be in 1..12"),
        (GOOD, "\udcff\udcfe\x00\x01", "not valid YAML: 'utf-8' codec can't decode"),  # bytes that are not UTF-8
    ],
)
def test_one_line_says_key_value_and_what_is_allowed(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in GOOD
    with pytest.raises(UserError) as caught:
        read(tmp_path, GOOD.replace(old, new))
    assert str(caught.value).startswith(f"{tmp_path / 'params.yaml'}: {expected}")
    assert "\n" not in str(caught.value)


# ---- the committed file and its schema ----


@pytest.mark.parametrize("name", list(Params.model_fields))
def test_a_misspelt_section_or_key_is_named_before_any_stage_starts(tmp_path: Path, name: str) -> None:
    (tmp_path / "params.yaml").write_text(TEXT.replace(f"\n{name}:", f"\n{name}_:"), encoding="utf-8")
    with pytest.raises(UserError, match=rf"{name}_ is not a known key; allowed here: .*{name}"):
        load_params(tmp_path / "params.yaml")
    values = yaml.load(TEXT, YamlLoader)
    values[name]["surprise"] = 1
    with pytest.raises(UserError, match=rf"^x: {name}\.surprise is not a known key"):
        parse(values, Params, "x")


@pytest.mark.parametrize(("name", "said"), [("Main", ": the names main and Main are"), ("a b", r"\.a b = .*: a name")])
def test_names_that_no_disk_keeps_apart_or_no_shell_takes_are_refused(name: str, said: str) -> None:
    values = yaml.load(TEXT, YamlLoader)
    values["gatys"]["jobs"][name] = values["gatys"]["jobs"]["main"]
    with pytest.raises(UserError, match=rf"^x: gatys\.jobs{said}"):
        parse(values, Params, "x")
