"""params.yaml -> frozen, validated sections.

Every key is in the file: a default that is hidden in code would be a parameter that nobody can see.
"""

import reprlib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator
from ruamel.yaml import YAML, YAMLError  # DVC's parser: both read YAML 1.2, where 1e-4 is a number and no is a word
from ruamel.yaml.constructor import DuplicateKeyError

from nnlab.errors import UserError

_TOO_LARGE = 2**53  # from here on floats skip integers


class Section(BaseModel):
    """Base of every section: unknown keys, missing keys and wrong types are errors; values cannot change."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @field_validator("*")
    @classmethod
    def _fits_the_machine(cls, value: Any) -> Any:
        """Python's integers know no end; everything that computes with them does."""
        values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
        if any(isinstance(number, int) and abs(number) >= _TOO_LARGE for number in values):
            raise ValueError("a number is too large")
        return value


Model = TypeVar("Model", bound=Section)


def load(path: Path, model: type[Model]) -> Model:
    """Read the YAML file `path` as `model`.

    Raises `UserError` with one line that names the first wrong key by its full path, its value and what is allowed.
    """
    try:
        values = YAML(typ="safe").load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: not found; run from the project's folder") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not a UTF-8 text file") from None
    except YAMLError as error:
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        kind = "" if isinstance(error, DuplicateKeyError) else "not valid YAML: "
        raise UserError(f"{path}: {kind}{problem}{_place(error)}") from None
    except RecursionError:
        raise UserError(f"{path}: not valid YAML: nested too deeply") from None
    except (ValueError, TypeError, AttributeError) as error:  # ruamel's own on odd dates, numbers, tags and keys
        raise UserError(f"{path}: not valid YAML: {error}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: must hold sections ({', '.join(model.model_fields)}), found {_shown(values)}")
    return parse(values, model, str(path))


def parse(values: dict[str, Any], model: type[Model], origin: str) -> Model:
    """Check `values` against `model`; `origin` begins the message of the `UserError` (see `load`)."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{origin}: {_line(error, model)}") from None
    except RecursionError:
        raise UserError(f"{origin}: nested too deeply") from None


def _place(error: YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""


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
        allowed = _siblings(model, first["loc"])
        return f"{key} is not a known key; allowed here: {', '.join(allowed) or 'none'}{more}"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] in ("model_type", "dict_type"):
        message = "must be a section, with keys of its own"
    section = first["type"] == "value_error" and isinstance(first["input"], dict)  # the message names its keys itself
    found = key if section else f"{key} = {_shown(first['input'])}"
    return " ".join(f"{found}: {message[:1].lower()}{message[1:]}{more}".split())


def _siblings(model: type[Section], location: tuple[int | str, ...]) -> list[str]:
    """The keys that are known beside the unknown one at `location`."""
    here: Any = model
    for part in location[:-1]:
        field = getattr(here, "model_fields", {}).get(part)
        here = field.annotation if field else _value_type(here)
    return sorted(getattr(here, "model_fields", {}))


def _value_type(annotation: Any) -> Any:
    """The type of a mapping's or a list's values; None where it cannot be told."""
    arguments = getattr(annotation, "__args__", ())
    return arguments[-1] if arguments else None


def _shown(value: Any) -> str:
    """A value as the user wrote it, cut to a readable length (and cheaply: YAML aliases can make one immense)."""
    try:
        text = _SHORT.repr(value)
    except ValueError:  # an integer of more digits than Python prints
        text = f"a number of {value.bit_length()} bits" if isinstance(value, int) else type(value).__name__
    return text if len(text) <= 60 else text[:57] + "..."


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60
