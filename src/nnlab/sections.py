"""A YAML file -> frozen, validated sections; and the kinds of values that several sections have.

Every key is in the file: a default that is hidden in code would be a parameter that nobody can see.
"""

import re
import reprlib
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML, YAMLError

from nnlab.errors import UserError
from nnlab.vgg_layers import canonical


class Section(BaseModel):
    """Base of every section: unknown keys, missing keys and wrong types are errors; values cannot change."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=Section)


def read_yaml(path: Path) -> Any:
    """The plain values of a YAML file, as DVC reads it: by the same parser, which knows YAML 1.2 (1e-4 is a number)."""
    try:
        return YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: not found; run from the project's folder") from None
    except (YAMLError, ValueError) as error:
        reason, mark = getattr(error, "problem", None) or str(error), getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise UserError(f"{path}: not valid YAML: {reason}{place}") from None


def load(path: Path, model: type[Model]) -> Model:
    """The YAML file `path` as `model`; `UserError` as by `read_yaml` and `parse`."""
    return parse(read_yaml(path), model, str(path))


def parse(values: Any, model: type[Model], origin: str) -> Model:
    """Check `values` against `model`.

    Raises `UserError` with one line: `origin`, the first wrong key by its full path, its value and what is allowed.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{origin}: {_line(error, model)}") from None


def _line(error: ValidationError, model: type[Section]) -> str:
    """One line for the first problem; pydantic's own wording says what is allowed."""
    problems = error.errors(include_url=False)
    # A misspelt key is a missing and an unknown one: the unknown one can be found.
    first = next((problem for problem in problems if problem["type"] == "extra_forbidden"), problems[0])
    key, found = ".".join(map(str, first["loc"])) or "file", reprlib.repr(first["input"])
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    message = first["msg"].removeprefix("Value error, ")
    message = f"{message[:1].lower()}{message[1:]}"
    if first["type"] == "missing":
        return f"{key} is missing; add it{more}"
    if first["type"] == "extra_forbidden":
        return f"{key} is not a known key; allowed here: {', '.join(_siblings(model, first['loc'])) or 'none'}{more}"
    if first["type"] in ("model_type", "dict_type"):
        message = "must be a section, with keys of its own"
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


_NAME = re.compile(r"(\w([\w .,'’·()-]*[\w.)])?)?")  # an accented letter of two characters is none of \w: disks differ


def _file_name_part(value: Any) -> Any:
    """Text that file names are made with; a student number without quotes in the YAML arrives as an integer."""
    text = str(value) if type(value) is int else value
    if isinstance(text, str) and (not _NAME.fullmatch(text) or len(text.encode()) > 90):
        raise ValueError(
            "becomes part of a file name: only letters and digits, between them also spaces and . , ' · ( ) -; at most "
            "90 bytes (30 Chinese characters)"
        )
    return text


T = TypeVar("T")
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Widths = Annotated[list[Annotated[int, Field(ge=1, le=8192)]], Field(max_length=16)]  # of layers
Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0, le=1e12)]
Layer = Annotated[str, AfterValidator(canonical)]  # of VGG19
NamePart = Annotated[str, BeforeValidator(_file_name_part)]
Named = dict[Name, T]  # values by names, which files have, too
