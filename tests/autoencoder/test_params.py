"""What the two sections refuse."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from nnlab.errors import UserError
from nnlab.params import AutoencoderParams, DenoiserParams
from nnlab.sections import parse

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"noise_factor": -1}, r"noise_factor = -1: .*greater than or equal to 0"),
        ({"noise_factor": "loud"}, r"noise_factor = 'loud'"),
        ({"code": 0}, r"code = 0: .*greater than or equal to 1"),
        ({"hidden": [0]}, r"hidden.0 = 0: .*greater than or equal to 1"),
        ({"epochs": 0}, r"epochs = 0: .*greater than or equal to 1"),
        ({"batch_size": 0}, r"batch_size = 0"),
        ({"seed": -1}, r"seed = -1"),
        ({"noise": 0.4}, r"noise is not a known key; .*noise_factor"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(changes: dict[str, Any], words: str) -> None:
    values = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))["denoiser"]
    with pytest.raises(UserError) as caught:
        parse({**values, **changes}, DenoiserParams, "x")
    assert re.search(words, str(caught.value)), caught.value


def test_the_autoencoder_has_a_code_of_two_numbers_and_no_key_for_it() -> None:
    values = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))["autoencoder"]
    parse(values, AutoencoderParams, "x")
    with pytest.raises(UserError, match="code is not a known key"):
        parse({**values, "code": 3}, AutoencoderParams, "x")
