"""The committed params.yaml and the whole-file schema."""

from pathlib import Path

import pytest

from nnlab.errors import UserError
from nnlab.sections import Section

ROOT = Path(__file__).resolve().parents[1]


def sections(model: type[Section], prefix: str = "") -> list[tuple[str, type[Section]]]:
    """Every section of the schema with its dotted name, also those in lists, mappings and unions."""
    found = [(prefix.rstrip("."), model)]
    for name, field in model.model_fields.items():
        todo = [field.annotation]
        while todo:
            kind = todo.pop()
            if isinstance(kind, type) and issubclass(kind, Section):
                found += sections(kind, f"{prefix}{name}.")
            todo += getattr(kind, "__args__", ())
    return found


def test_the_committed_file_is_valid() -> None:
    from nnlab.params import load_params

    load_params(ROOT / "params.yaml")


def test_no_key_has_a_default_that_nobody_sees() -> None:
    from nnlab.params import Params

    for name, model in sections(Params):
        hidden = [key for key, field in model.model_fields.items() if not field.is_required()]
        assert not hidden, f"{name}: {hidden}"


def test_every_section_is_strict_and_frozen() -> None:
    from nnlab.params import Params

    for name, model in sections(Params):
        config = model.model_config
        assert config.get("extra") == "forbid", name
        assert config.get("strict"), name
        assert config.get("frozen"), name
        assert config.get("allow_inf_nan") is False, name


def test_numbers_have_bounds() -> None:
    """A number that may be anything starts runs that cannot end well; text and switches need none."""
    from nnlab.params import Params

    schema = Params.model_json_schema()
    bounds = {"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "enum", "const"}
    open_ended = [
        f"{section}.{key}"
        for section, definition in schema["$defs"].items()
        for key, value in definition.get("properties", {}).items()
        if value.get("type") in ("integer", "number") and not bounds & value.keys()
    ]
    assert open_ended == []


def test_reading_parameters_needs_no_torch() -> None:
    import subprocess
    import sys

    code = "import sys, nnlab.params, nnlab.stage; assert not {'torch', 'matplotlib', 'numpy'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(ROOT / "src")})


def test_a_missing_section_is_named(tmp_path: Path) -> None:
    from nnlab.params import Params, load_params

    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    for name in Params.model_fields:
        (tmp_path / "params.yaml").write_text(text.replace(f"\n{name}:", f"\n{name}_:"), encoding="utf-8")
        with pytest.raises(UserError, match=rf"{name}_ is not a known key; allowed here: .*{name}"):
            load_params(tmp_path / "params.yaml")
