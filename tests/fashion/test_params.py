"""The section: what variants inherit, and what is refused."""

import re
from typing import Any

import pytest
import yaml

from nnlab.errors import UserError
from nnlab.params import FashionParams
from nnlab.sections import parse
from tests.quick import ROOT


def section(**changes: Any) -> dict[str, Any]:
    """The committed section with keys of `network`, `training` or its own changed."""
    values = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))["fashion"]
    for key, value in changes.items():
        next((part for part in (values["network"], values["training"]) if key in part), values)[key] = value
    return values


def test_a_variant_has_its_own_layers_and_the_training_of_the_section() -> None:
    variants = {"linear": {"hidden": []}, "long": {"hidden": [7], "epochs": 9}}
    changed = section(hidden=[99], convolutions=[[3]], epochs=4, learning_rate=0.5, variants=variants)
    parsed = parse(changed, FashionParams, "x")
    linear, long = parsed.variants["linear"], parsed.variants["long"]
    assert (linear.hidden, linear.convolutions, linear.epochs, linear.learning_rate) == ([], [], 4, 0.5)
    assert (long.hidden, long.convolutions, long.epochs) == ([7], [], 9)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"convolutions": [[]]}, r"convolutions.0 = \[\]: .*at least 1"),
        ({"convolutions": [[1]] * 5}, r"convolutions = .*at most 4"),
        ({"variants": {"a b": {"hidden": []}}}, r"variants.*a b"),
        ({"variants": {"wide": {"hiden": [1]}}}, r"variants.wide.hiden is not a known key"),
        ({"variants": {"wide": {"hidden": [-1]}}}, r"variants.wide.hidden.0 = -1"),
        ({"variants": {"wide": None}}, r"variants.wide = None"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError) as caught:
        parse(section(**changes), FashionParams, "x")
    assert re.search(words, str(caught.value)), caught.value
    assert "\n" not in str(caught.value)
