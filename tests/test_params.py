"""params.yaml: what is read, and the one line for everything that is wrong."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from nnlab.errors import UserError
from nnlab.params import Params, load_params
from tests.quick import ROOT

TEXT = (ROOT / "params.yaml").read_text(encoding="utf-8")
EPOCHS = "epochs: 5\n    batch_size: 512"  # of fashion.training


def line(tmp_path: Path, text: str | bytes) -> str:
    path = tmp_path / "params.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError) as caught:
        load_params(path)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{path}: ")


def test_values_are_those_of_yaml_1_2_as_dvc_reads_it_and_frozen(tmp_path: Path) -> None:
    """PyYAML would take 1e-3 for a word and the number 010 for eight."""
    changed = TEXT.replace(EPOCHS, "epochs: 010\n    batch_size: 512").replace(
        "noise_factor: 0.4", "noise_factor: 1e-3"
    )
    (tmp_path / "params.yaml").write_text(changed.replace('student_id: "学号"', "student_id: 7"), encoding="utf-8")
    params = load_params(tmp_path / "params.yaml")
    assert (params.fashion.training.epochs, params.denoiser.noise_factor, params.report.student_id) == (10, 0.001, "7")
    with pytest.raises(ValidationError, match="frozen"):
        params.hardware.device = "cpu"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (EPOCHS, "epochs: ten", "fashion.training.epochs = 'ten': input should be a valid integer"),
        (
            EPOCHS,
            "epochs: 0\n    batch_size: 8",
            "fashion.training.epochs = 0: input should be greater than or",
        ),
        (EPOCHS, "epochs: 5", "fashion.training.batch_size is missing; add it"),
        (
            EPOCHS,
            "epoch: 5\n    batch_size: 8",
            "fashion.training.epoch is not a known key; allowed here: augm",
        ),
        ("noise_factor: 0.4", "noise_factor: .nan", "denoiser.noise_factor = nan: input should be a finite number"),
        ("optimizer: muon", f"optimizer: {'long' * 1000}", "adain.train.optimizer = 'longlonglong...glonglonglong': "),
        ("hidden: [1000, 500, 250]", "hidden: [0]", "autoencoder.hidden.0 = 0: input should be greater than or equal"),
        (
            "content_layer_weights: {}",
            "content_layer_weights: 5",
            "gatys.common.content_layer_weights = 5: must be a",
        ),
        (
            "\nreport:",
            "\nreports:",
            "reports is not a known key; allowed here: adain, autoencoder, denoiser, fashion",
        ),
    ],
)
def test_one_line_says_key_value_and_what_is_allowed(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in TEXT
    assert line(tmp_path, TEXT.replace(old, new)).startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "file = None: must be a section, with keys of its own"),
        ("a: [1", "not valid YAML: expected ',' or ']', but got '<stream end>' (line 1, column 6)"),
        ("a: 1\na: 2", 'not valid YAML: found duplicate key "a"'),
        ("a: 2020-13-45", "not valid YAML: month must be in 1..12"),
        (b"\xff\xfe\x00\x01", "not valid YAML: 'utf-8' codec can't decode"),
    ],
)
def test_a_file_that_is_no_parameter_file_is_refused_in_one_line(
    tmp_path: Path, text: str | bytes, expected: str
) -> None:
    assert line(tmp_path, text).startswith(expected)


@pytest.mark.parametrize("name", list(Params.model_fields))
def test_a_surplus_key_is_named_in_every_section(tmp_path: Path, name: str) -> None:
    text = TEXT.replace(f"\n{name}:", f"\n{name}:\n  surprise: 1")
    assert line(tmp_path, text).startswith(f"{name}.surprise is not a known key; allowed here: ")
