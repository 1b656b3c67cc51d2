"""Parameter files made from the schema: every valid one is accepted, every other one refused in one line.

Starting from the committed params.yaml, many values within their bounds are changed at once, or one thing beyond them:
a value, a key, a type, or the text itself. The refusal is seen as a user sees it, through the entry of a stage. That
what is accepted also trains is tested in test_fuzz_starts.py.
"""

import contextlib
import copy
import importlib.util
import inspect
import io
import math
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from nnlab import stage
from nnlab.errors import UserError
from nnlab.params import Params
from nnlab.sections import parse

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "params.yaml").read_text(encoding="utf-8")
BASE = YAML(typ="safe").load(TEXT)
SCRIPTS = sorted((ROOT / "stages").glob("*.py"))
FUZZ = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)

Key = tuple[str, ...]
WRONG = {  # for each JSON type, values that are of another
    "integer": ["ten", 1.5, True, None, [1], {"a": 1}, "1", math.nan],
    "number": ["ten", True, None, [1.0], {"a": 1.0}, "1.0"],
    "string": [True, None, 1.5, ["a"], {"a": "b"}],
    "boolean": ["yes", 1, 0.0, None, [True]],
    "array": ["x", 3, None, {"a": 1}, True],
    "object": ["x", 3, None, ["a"], True],
}
FREE_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=20)


def keys(values: dict, prefix: Key = ()) -> list[Key]:
    """The path of every key, sections included."""
    found: list[Key] = []
    for name, value in values.items():
        found.append((*prefix, name))
        if isinstance(value, dict):
            found += keys(value, (*prefix, name))
    return found


@cache
def json_schema() -> dict[str, Any]:
    return Params.model_json_schema()


def alternatives(node: dict[str, Any]) -> list[dict[str, Any]]:
    """A schema node without references: one node, or the choices of a union."""
    if "$ref" in node:
        return alternatives(json_schema()["$defs"][node["$ref"].rsplit("/", 1)[1]])
    choices = [inner for key in ("anyOf", "oneOf") for part in node.get(key, []) for inner in alternatives(part)]
    return choices or [node]


def nodes(path: Key) -> list[dict[str, Any]]:
    """What the schema says about a key: one node, or several where the value may be of several kinds."""
    here = alternatives(json_schema())
    for name in path:
        inner = []
        for node in here:
            pattern = next(iter(node.get("patternProperties", {}).values()), {})
            inner.append(node.get("properties", {}).get(name) or node.get("additionalProperties") or pattern)
        here = [choice for node in inner if node for choice in alternatives(node)]
    return here


def kind(node: dict[str, Any]) -> str:
    return node.get("type") or ("string" if "enum" in node or "const" in node else "object")


def is_section(path: Key) -> bool:
    """Whether a key holds named keys that the schema lists, rather than names of the user's own."""
    return any(node.get("properties") for node in nodes(path)) if path else True


def get(values: dict, path: Key) -> Any:
    for name in path:
        values = values[name]
    return values


def changed(path: Key, value: Any) -> dict:
    """The committed values with another one at `path`."""
    values = copy.deepcopy(BASE)
    get(values, path[:-1])[path[-1]] = value
    return values


def within(node: dict[str, Any], old: Any) -> list[Any]:
    """Values that the bounds of `node` allow, its edges among them."""
    if "enum" in node:
        return list(node["enum"])
    if kind(node) == "boolean":
        return [True, False]
    if kind(node) not in ("integer", "number"):
        return [old]
    step = node.get("multipleOf", 1 if kind(node) == "integer" else 0.001)
    low = node.get("minimum", node["exclusiveMinimum"] + step if "exclusiveMinimum" in node else None)
    high = node.get("maximum", node["exclusiveMaximum"] - step if "exclusiveMaximum" in node else None)
    edges = [-(-low // step) * step if step >= 1 else low] if low is not None else []
    return [old, *edges, *([high // step * step if step >= 1 else high] if high is not None else [])]


def inside(node: dict[str, Any], old: Any = None, most: float = math.inf) -> st.SearchStrategy:
    """Any value that the bounds of `node` allow, numbers up to `most` where they may be so small; words stay `old`."""
    if "enum" in node:
        return st.sampled_from(node["enum"])
    if kind(node) == "boolean":
        return st.booleans()
    if kind(node) == "integer":
        step = node.get("multipleOf", 1)
        low = -(-node["minimum"] // step)
        high = max(low, min(most, node.get("maximum", 2**53 - 1)) // step)
        return st.integers(low, int(high)).map(lambda number: number * step)
    if kind(node) == "number":
        low, high = (node.get(f"{end}imum", node.get(f"exclusive{end.capitalize()}imum")) for end in ("min", "max"))
        return st.floats(low, high, exclude_min="exclusiveMinimum" in node, exclude_max="exclusiveMaximum" in node,
                         allow_infinity=False)  # fmt: skip
    if kind(node) == "array" and kind(item := alternatives(node["items"])[0]) != "string":
        fewest = node.get("minItems", 0)
        return st.lists(
            inside(item, most=most), min_size=fewest, max_size=max(fewest, int(min(most, node.get("maxItems", 9))))
        )
    if node.get("properties"):
        return st.fixed_dictionaries(
            {name: inside(alternatives(inner)[0], most=most) for name, inner in node["properties"].items()}
        )
    return st.just(old)


def fitted(train: dict[str, Any], run: dict[str, Any]) -> None:
    """Bring into line what no bound of a single value says, in the sections adain.train and adain.run."""
    for part in (train, train["finish"]):
        part["crop"] = min(part["crop"], part["resize"] // 8 * 8)
    run["processes"] = math.gcd(train["batch_size"], run["processes"])
    train["checkpoint_fractions"] = sorted({max(round(x, 2), 0.01) for x in train["checkpoint_fractions"]} | {1.0})


def beyond(node: dict[str, Any]) -> list[Any]:
    """Values of the right type that the bounds of `node` forbid."""
    found: list[Any] = []
    if kind(node) == "integer":
        found += [10**30, -(10**400)]
        found += [node["multipleOf"] * 100 + 1] if node.get("multipleOf", 1) > 1 else []
    if kind(node) == "number":
        found += [math.nan, math.inf, -math.inf]
    for bound, sign in (("minimum", -1), ("maximum", 1)):
        found += [node[bound] + sign] if bound in node else []
    for bound in ("exclusiveMinimum", "exclusiveMaximum"):
        found += [node[bound]] if bound in node else []
    if "enum" in node:
        found += ["", "no such choice", *(word.upper() for word in node["enum"] if word.upper() not in node["enum"])]
    if node.get("minLength"):
        found += [""]
    if node.get("minItems") or node.get("minProperties"):
        found += [[] if kind(node) == "array" else {}]
    if kind(node) == "array":
        found += [[inner] for item in alternatives(node.get("items", {})) for inner in beyond(item)]
    return found


def run_stage(directory: Path, content: dict | str | bytes) -> tuple[int, str]:
    """Start a stage with this parameter file; what it prints. Only a valid file lets it go on, to a harmless end."""
    path = directory / "params.yaml"
    if isinstance(content, dict):
        with path.open("w", encoding="utf-8") as file:
            YAML(typ="safe").dump(content, file)
    else:
        path.write_bytes(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)

    def main(params: Path) -> None:
        from nnlab.params import load_params

        load_params(params)

    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        code = stage.call(main, [str(path)])
    return code, said.getvalue()


def assert_refused(directory: Path, content: dict | str | bytes, *names: str) -> str:
    code, said = run_stage(directory, content)
    assert code == 1, f"accepted, expected {names} to be refused"
    assert said.count("\n") == 1, said
    assert ": error: " in said
    assert len(said) < 1500 + len(str(directory)), said
    for name in names:
        assert name in said, f"{name} is not named in: {said}"
    return said


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def test_every_edge_of_every_value_is_accepted() -> None:
    """Each on its own, the others as they are committed: a crop alone need not fit its pictures."""
    refused = {}
    for path in keys(BASE):
        for value in [value for node in nodes(path) for value in within(node, get(BASE, path))]:
            try:
                parse(changed(path, value), Params, "params.yaml")
            except UserError as error:
                refused[".".join(path)] = str(error)
    unfit = {
        f"adain.train.{key}": "is larger than resize" for key in ("crop", "resize", "finish.crop", "finish.resize")
    }
    unfit["adain.run.processes"] = "must be a multiple of run.processes"
    assert all(reason in refused.pop(key, reason) for key, reason in unfit.items())
    assert not refused


@FUZZ
@given(st.data())
def test_values_within_their_bounds_are_accepted_many_at_once(directory: Path, data: st.DataObject) -> None:
    values = copy.deepcopy(BASE)
    leaves = [path for path in keys(BASE) if not isinstance(get(BASE, path), dict)]
    for path in data.draw(st.lists(st.sampled_from(leaves), min_size=2, unique=True)):
        node = data.draw(st.sampled_from(nodes(path)))
        get(values, path[:-1])[path[-1]] = data.draw(inside(node, get(BASE, path)))
    fitted(values["adain"]["train"], values["adain"]["run"])
    values["adain"]["alpha"] = list(dict.fromkeys(values["adain"]["alpha"]))
    values["gatys"]["common"]["style_weight"] = values["gatys"]["common"]["style_weight"] or 1.0
    assert run_stage(directory, values) == (0, "")


@FUZZ
@given(st.data())
def test_a_value_of_another_type_is_refused(directory: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(keys(BASE)))
    allowed = {kind(node) for node in nodes(path)}
    value = data.draw(st.sampled_from([v for name in sorted(allowed) for v in WRONG[name]]))
    fits = {bool: {"boolean"}, int: {"integer", "number"}, float: {"number"}, str: {"string"}, list: {"array"},
            dict: {"object"}, type(None): {"null"}}[type(value)]  # fmt: skip
    assume(not fits & allowed)
    assert_refused(directory, changed(path, value), ".".join(path))


@FUZZ
@given(st.data())
def test_a_value_out_of_range_is_refused(directory: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([p for p in keys(BASE) if any(beyond(node) for node in nodes(p))]))
    value = data.draw(st.sampled_from([v for node in nodes(path) for v in beyond(node)]))
    assert_refused(directory, changed(path, value), ".".join(path))


@FUZZ
@given(st.data())
def test_an_unknown_key_is_refused_with_the_known_ones(directory: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([(), *(p for p in keys(BASE) if is_section(p))]))
    known = get(BASE, path)
    name = data.draw(FREE_TEXT.filter(lambda text: text.strip() == text and text and text not in known))
    assume(not any(name in node.get("properties", {}) for node in nodes(path)))  # a job may take any common key
    said = assert_refused(directory, changed((*path, name), 1), "is not a known key")
    assert " ".join(".".join((*path, name)).split()) in said
    assert sorted(nodes(path)[0]["properties"])[0] in said


@FUZZ
@given(st.data())
def test_a_missing_key_is_refused(directory: Path, data: st.DataObject) -> None:
    required = [p for p in keys(BASE) if any(p[-1] in node.get("required", []) for node in nodes(p[:-1]))]
    path = data.draw(st.sampled_from(required))
    assume(not (path[:2] == ("gatys", "jobs") and path[-1] in BASE["gatys"]["common"]))  # taken from common
    assume(not (path[:2] == ("fashion", "variants") and len(path) == 4))  # taken from the section, or no layers
    values = copy.deepcopy(BASE)
    del get(values, path[:-1])[path[-1]]
    assert_refused(directory, values, f"{'.'.join(path)} is missing")


@FUZZ
@given(st.sampled_from(TEXT.splitlines()))
def test_a_key_given_twice_is_refused(directory: Path, line: str) -> None:
    code = line.split(" #")[0].rstrip()
    assume(code.endswith(tuple('0123456789abcdefghijklmnopqrstuvwxyz]}"')) and ":" in code)
    assume(not code.lstrip().startswith("#"))
    name = code.split(":")[0].strip()
    assert_refused(directory, TEXT.replace(line, f"{line}\n{code}", 1), "found duplicate key", f'"{name}"')


@FUZZ
@given(st.one_of(st.text(max_size=300), st.binary(max_size=300), st.integers(0, 150).map(lambda n: "[" * n),
                 st.integers(0, 100).map(lambda n: "\n".join("  " * i + "a:" for i in range(n)))))  # fmt: skip
def test_any_other_file_is_refused(directory: Path, content: str | bytes) -> None:
    assert_refused(directory, content, str(directory / "params.yaml"))


@FUZZ
@given(st.integers(0, len(TEXT) - 1), st.integers(0, 30), st.one_of(st.just(""), st.text(max_size=5)))
def test_a_damaged_text_is_accepted_or_refused_but_never_breaks(
    directory: Path, start: int, length: int, new: str
) -> None:
    code, said = run_stage(directory, TEXT[:start] + new + TEXT[start + length :])
    assert code in (0, 1)
    assert said.count("\n") == code, said


@FUZZ
@given(st.integers(0, len(TEXT.encode()) - 1))
def test_a_file_that_was_cut_never_breaks(directory: Path, length: int) -> None:
    code, said = run_stage(directory, TEXT.encode()[:length])
    assert code in (0, 1)
    assert said.count("\n") == code, said


def script_main(script: Path) -> Callable[..., None]:
    spec = importlib.util.spec_from_file_location(f"stage_{script.stem}", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
@pytest.mark.parametrize("section", ["report", "fashion"])
def test_every_stage_checks_the_whole_file_before_it_does_anything(
    script: Path, section: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with (tmp_path / "params.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump(changed((section, "surprise"), 1), file)
    monkeypatch.chdir(tmp_path)
    main = script_main(script)
    needed = [p for p in inspect.signature(main).parameters.values() if p.default is p.empty]
    assert stage.call(main, [f"given/{p.name}" for p in needed]) == 1
    said = capfd.readouterr().err
    assert f"{section}.surprise is not a known key" in said
    assert said.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


@pytest.mark.parametrize(("old", "new", "names"), [
    ("device: auto", "device: 5", "hardware.device"),
    ("report:", "reprot:", "reprot"),
    ("hardware:", "hardware: {", "params.yaml: not valid YAML"),
])  # fmt: skip
def test_the_same_from_a_shell(tmp_path: Path, old: str, new: str, names: str) -> None:
    assert old in TEXT
    (tmp_path / "params.yaml").write_text(TEXT.replace(old, new), encoding="utf-8")
    result = subprocess.run(
        [sys.executable, str(ROOT / "stages/fetch_mnist.py"), "out"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("fetch_mnist: error: ")
    assert names in result.stderr
    assert not (tmp_path / "out").exists()
