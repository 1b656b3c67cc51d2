"""params.yaml -> frozen, validated sections.

Every key is in the file: a default that is hidden in code would be a parameter that nobody can see.
"""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from nnlab.errors import UserError


class Section(BaseModel):
    """Base of every section: unknown keys, missing keys and wrong types are errors; values cannot change."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=Section)


def load(path: Path, model: type[Model]) -> Model:
    """Read the YAML file `path` as `model`.

    Raises `UserError` with one line that names the first wrong key by its full path, its value and what is allowed.
    """
    try:
        values = yaml.load(Path(path).read_text(encoding="utf-8"), Loader=_Loader)
    except FileNotFoundError:
        raise UserError(f"{path}: not found; run from the project's folder") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not a UTF-8 text file") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    except (RecursionError, ValueError) as error:
        raise UserError(f"{path}: not valid YAML: {type(error).__name__}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: must hold sections ({', '.join(model.model_fields)}), found {_shown(values)}")
    return parse(values, model, str(path))


def parse(values: dict[str, Any], model: type[Model], origin: str) -> Model:
    """Check `values` against `model`; `origin` begins the message of the `UserError` (see `load`)."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{origin}: {_line(error, model)}") from None


class _Loader(yaml.SafeLoader):
    """Safe loader that refuses a key given twice, which YAML would silently take the last of."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if isinstance(key, (list, dict)) or keys.count(key) > 1:
                problem = f"key {key!r} is given twice" if not isinstance(key, (list, dict)) else "a key must be a name"
                raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        return super().construct_mapping(node, deep)


def _line(error: ValidationError, model: type[Section]) -> str:
    """One line for the first problem; pydantic's own wording says what is allowed."""
    first, *others = error.errors(include_url=False)
    key = ".".join(str(part) for part in first["loc"])
    more = f" (and {len(others)} more)" if others else ""
    if first["type"] == "missing":
        return f"{key} is missing; add it{more}"
    if first["type"] == "extra_forbidden":
        allowed = _siblings(model, first["loc"])
        return f"{key} is not a known key; allowed here: {', '.join(allowed) or 'none'}{more}"
    message = first["msg"].removeprefix("Value error, ")
    return f"{key} = {_shown(first['input'])}: {message[:1].lower()}{message[1:]}{more}".replace("\n", " ")


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
    """A value as the user wrote it, cut to a readable length."""
    text = repr(value).replace("\n", " ")
    return text if len(text) <= 60 else text[:57] + "..."
