"""params.yaml -> frozen, validated sections.

Every key is in the file: a default that is hidden in code would be a parameter that nobody can see.
"""

import re
import reprlib
from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from yaml.constructor import ConstructorError

from nnlab.errors import UserError

_DECIMAL = r"[-+]?([0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?|\.[0-9_]+([eE][-+][0-9]+)?)"
_SCALARS = {  # YAML 1.2, as DVC's parser has it: 1e-4 is a number, no is a word, 010 is ten, 1:30 is a word
    "bool": ("true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)", "-+0123456789"),
    "float": (rf"{_DECIMAL}|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+0123456789."),
}


class Section(BaseModel):
    """Base of every section: unknown keys, missing keys and wrong types are errors; values cannot change."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=Section)


class YamlLoader(yaml.SafeLoader):
    """PyYAML with the scalars of YAML 1.2; a key that is there twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping; ConstructorError for a key that is there twice."""
        for number, (key, _) in enumerate(node.value):
            if any(key.value == earlier.value for earlier, _ in node.value[:number]):
                raise ConstructorError(problem=f'found duplicate key "{key.value}"', problem_mark=key.start_mark)
        return super().construct_mapping(node, deep)

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


def load(path: Path, model: type[Model]) -> Model:
    """Read the YAML file `path` as `model`.

    Raises `UserError` with one line that names the first wrong key by its full path, its value and what is allowed.
    """
    try:
        values = yaml.load(Path(path).read_text(encoding="utf-8"), YamlLoader)
    except FileNotFoundError:
        raise UserError(f"{path}: not found; run from the project's folder") from None
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, RecursionError) as error:  # odd dates and keys, too
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
    except RecursionError:
        raise UserError(f"{origin}: nested too deeply") from None


def _line(error: ValidationError, model: type[Section]) -> str:
    """One line for the first problem; pydantic's own wording says what is allowed."""
    problems = error.errors(include_url=False)
    first = problems[0]
    if first["type"] == "missing":  # a misspelt key is a missing and an unknown one: the unknown one can be found
        first = next((problem for problem in problems if problem["type"] == "extra_forbidden"), first)
    key = ".".join(str(part) for part in first["loc"])
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    if first["type"] == "missing":
        return f"{key} is missing; add it{more}"
    if first["type"] == "extra_forbidden":
        return f"{key} is not a known key; allowed here: {', '.join(_siblings(model, first['loc'])) or 'none'}{more}"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] in ("model_type", "dict_type"):
        message = "must be a section, with keys of its own"
    section = first["type"] == "value_error" and isinstance(first["input"], dict)  # the message names its keys itself
    found = key if section else f"{key} = {reprlib.repr(first['input'])}"
    return " ".join(f"{found}: {message[:1].lower()}{message[1:]}{more}".split())


def _siblings(model: type[Section], location: tuple[int | str, ...]) -> list[str]:
    """The keys that are known beside the unknown one at `location`."""
    here: Any = model
    for part in location[:-1]:
        field = getattr(here, "model_fields", {}).get(part)
        here = field.annotation if field else (getattr(here, "__args__", ()) or (None,))[-1]  # a mapping's values
    return sorted(getattr(here, "model_fields", {}))
