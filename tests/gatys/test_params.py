"""The section: jobs over common values, layers, and the lines that mistakes give."""

from typing import Any

import pytest

from nnlab.errors import UserError
from nnlab.params import GatysParams
from nnlab.sections import Section, parse
from tests.gatys.conftest import make_job


class File(Section):
    gatys: GatysParams


OWN = {"content", "style", "content_layers", "style_layers"}


def values(**job: Any) -> dict[str, Any]:
    complete = make_job().model_dump()
    common = {key: value for key, value in complete.items() if key not in OWN}
    own = {key: value for key, value in complete.items() if key in OWN}
    return {"gatys": {"common": common, "jobs": {"main": {**own, **job}}}}


def test_a_job_takes_what_it_leaves_out_from_common() -> None:
    found = parse(values(size=48), File, "params.yaml").gatys
    assert (found.jobs["main"].size, found.jobs["main"].iterations, found.common.size) == (48, 6, 64)


def test_layers_take_any_usual_name() -> None:
    found = parse(values(style_layers=["relu1_1", "conv3_1", "block5_conv1"]), File, "params.yaml")
    assert found.gatys.jobs["main"].style_layers == ["block1_conv1", "block3_conv1", "block5_conv1"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"style_layers": ["block6_conv1"]}, r"gatys\.jobs\.main\.style_layers\.0 = 'block6_conv1': no VGG19 layer"),
        ({"size": 8}, r"gatys\.jobs\.main\.size = 8"),
        ({"optimizer": "sgd"}, r"'lbfgs' or 'adam'"),
        ({"optimizer": "adam"}, r"gatys\.jobs\.main.*learning_rate = 1\.0 is too large for adam"),
        ({"iteration": 5}, r"gatys\.jobs\.main\.iteration is not a known key; allowed here: .*iterations"),
        ({"style_weight": -1.0}, r"gatys\.jobs\.main\.style_weight = -1\.0"),
        ({"style_layer_weights": {"conv9_1": 1.0}}, r"style_layer_weights.*conv9_1"),
        ({"content_layers": [], "style_layers": []}, r"nothing to optimise"),
        ({"content_weight": 0.0, "style_layer_weights": {"relu1_1": 0.0, "relu2_1": 0.0}}, r"nothing to optimise"),
    ],
)
def test_a_mistake_is_one_line_with_its_key(change: dict[str, Any], line: str) -> None:
    with pytest.raises(UserError, match=line) as error:
        parse(values(**change), File, "params.yaml")
    assert "\n" not in str(error.value)
