"""A YAML file -> frozen, validated sections; and the kinds of values that several sections have.

Every key is in the file: a default that is hidden in code would be a parameter that nobody can see.
"""

import re
import reprlib
import unicodedata
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from nnlab.errors import UserError
from nnlab.vgg.layers import canonical

_DECIMAL = r"[-+]?([0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?|\.[0-9_]+([eE][-+][0-9]+)?)"
_SCALARS = {  # YAML 1.2, as DVC's parser has it: 1e-4 is a number, no is a word, 010 is ten, 1:30 is a word
    "bool": ("true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)", "-+0123456789"),
    "float": (rf"{_DECIMAL}|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+0123456789."),
}


class YamlLoader(yaml.SafeLoader):
    """PyYAML with the scalars of YAML 1.2."""

    def construct_integer(self, node: yaml.ScalarNode) -> int:
        """An integer: PyYAML's own takes 010 for an octal number."""
        text = node.value.replace("_", "")
        return int(text, 0 if re.match("[-+]?0[box]", text) else 10)


YamlLoader.add_constructor("tag:yaml.org,2002:int", YamlLoader.construct_integer)
YamlLoader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in known if tag.rsplit(":", 1)[1] not in _SCALARS]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _kind, (_form, _firsts) in _SCALARS.items():
    YamlLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(f"^({_form})$"), list(_firsts))


class Section(BaseModel):
    """Base of every section: unknown keys, missing keys and wrong types are errors; values cannot change."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=Section)


def load(path: Path, model: type[Model]) -> Model:
    """Read the YAML file `path` as `model`.

    Raises `UserError` with one line that names the first wrong key by its full path, its value and what is allowed.
    """
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), YamlLoader)
    except FileNotFoundError:
        raise UserError(f"{path}: not found; run from the project's folder") from None
    except (yaml.YAMLError, ValueError) as error:
        reason, mark = getattr(error, "problem", None) or str(error), getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise UserError(f"{path}: not valid YAML: {' '.join(reason.split())}{place}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: must hold sections ({', '.join(model.model_fields)}), found {reprlib.repr(values)}")
    return parse(values, model, str(path))


def parse(values: dict[str, Any], model: type[Model], origin: str) -> Model:
    """Check `values` against `model`; `origin` begins the message of the `UserError` (see `load`)."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{origin}: {_line(error, model)}") from None


_WORDS = {  # where pydantic's own do not say what to write
    **dict.fromkeys(("model_type", "dict_type"), "must be a section, with keys of its own"),
    "bool_type": "must be true or false",
    "string_type": "must be text; put it in quotes",
}


def _line(error: ValidationError, model: type[Section]) -> str:
    """One line for the first problem; pydantic's own wording says what is allowed."""
    problems = error.errors(include_url=False)
    # A misspelt key is a missing and an unknown one: the unknown one can be found.
    first = next((problem for problem in problems if problem["type"] == "extra_forbidden"), problems[0])
    key, found = ".".join(str(part) for part in first["loc"] if part != "[key]"), reprlib.repr(first["input"])
    others = len({(problem["loc"][-1:], problem["msg"]) for problem in problems}) - 1  # of `common` it is in every job
    more = f" (and {others} more)" if others else ""
    message = first["msg"].removeprefix("Value error, ")
    message = _WORDS.get(first["type"], f"{message[:1].lower()}{message[1:]}")
    if first["type"] == "missing":
        return f"{key} is missing; add it{more}"
    if first["type"] == "extra_forbidden":
        return f"{key} is not a known key; allowed here: {', '.join(_siblings(model, first['loc'])) or 'none'}{more}"
    if first["type"] == "value_error" and isinstance(first["input"], dict):  # the message names the section's keys
        return f"{key}: {message}{more}"
    return f"{key} = {found}: {message}{more}"


def _siblings(model: type[Section], location: tuple[int | str, ...]) -> list[str]:
    """The keys that are known beside the unknown one at `location`."""
    here: Any = model
    for part in location[:-1]:
        field = getattr(here, "model_fields", {}).get(part)
        here = field.annotation if field else (getattr(here, "__args__", ()) or (None,))[-1]  # a mapping's values
    return sorted(getattr(here, "model_fields", {}))


# ---- kinds of values ----


def filled(named: str, common: str, **more: Any) -> Any:
    """A validator: the sections in the mapping `named` get the keys that they lack from `common` and from `more`.

    It runs before the checks of a section: what is no section is left for them.
    """

    def complete(cls: type, values: Any) -> Any:
        if not isinstance(values, dict) or not all(isinstance(values.get(key), dict) for key in (common, named)):
            return values
        base = {**values[common], **more}
        laid = {name: {**base, **own} if isinstance(own, dict) else own for name, own in values[named].items()}
        return {**values, named: laid}

    return model_validator(mode="before")(complete)


def _once(values: list) -> list:
    if len(set(values)) < len(values):
        raise ValueError("named twice")
    return values


def _apart(values: dict[str, Any]) -> dict[str, Any]:
    seen: dict[str, str] = {}
    for name in values:
        if (other := seen.setdefault(name.casefold(), name)) != name:
            raise ValueError(f"the names {other} and {name} are one to a disk that ignores case; rename one")
    return values


_FORBIDDEN = '/\\:*?"“”<>|$`!;&%{}#~'  # in a file name, or in the shell command of dvc.yaml


def _file_name_part(value: Any) -> Any:
    """Text that file names are made with; a student number without quotes in the YAML arrives as an integer."""
    text = str(value) if type(value) is int else value
    if not isinstance(text, str):
        return text
    plain = not any(char in _FORBIDDEN or unicodedata.category(char)[0] == "C" for char in text)
    whole = text == unicodedata.normalize("NFC", text.strip()) and len(text.encode()) <= 90
    if not plain or not whole or text.startswith((".", "-")):
        raise ValueError(
            f"becomes part of a file name: none of {_FORBIDDEN}, no control characters, no space, . or - at the "
            "beginning, no space at the end, accented letters as single characters (Unicode NFC), at most 90 bytes (30 "
            "Chinese characters)"
        )
    return text


def _name(text: str) -> str:
    if not re.fullmatch("[A-Za-z0-9][A-Za-z0-9_-]{0,39}", text):
        raise ValueError("a name has 1 to 40 of A-Z, a-z, 0-9, _ and -, the first a letter or digit; rename it")
    return text


T = TypeVar("T")
Name = Annotated[str, AfterValidator(_name)]
Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Widths = Annotated[list[Annotated[int, Field(ge=1, le=8192)]], Field(max_length=16)]  # of layers
Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0, le=1e12)]
Layer = Annotated[str, AfterValidator(canonical)]  # of VGG19
NamePart = Annotated[str, BeforeValidator(_file_name_part)]
once = AfterValidator(_once)  # no two values of a list are the same
Named = Annotated[dict[Name, T], AfterValidator(_apart)]  # values by names, which files have, too
