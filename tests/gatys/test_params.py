"""The section: jobs over common values, layers, and the lines that mistakes give."""

import pytest

from nnlab.errors import UserError
from nnlab.params import GatysParams
from nnlab.sections import parse
from tests.gatys.conftest import make_job

OWN = {"content", "style", "content_layers", "style_layers"}


def read(**job: object) -> GatysParams:
    """The section with the job "main", which has pictures and layers of its own, and these keys."""
    common, own = make_job().model_dump(exclude=OWN), make_job().model_dump(include=OWN)
    return parse({"common": common, "jobs": {"main": {**own, **job}}}, GatysParams, "params.yaml")


def test_a_job_takes_what_it_leaves_out_from_common_and_layers_by_any_usual_name() -> None:
    found = read(size=48, style_layers=["relu1_1", "conv3_1", "block5_conv1"])
    assert (found.jobs["main"].size, found.jobs["main"].iterations, found.common.size) == (48, 6, 64)
    assert found.jobs["main"].style_layers == ["block1_conv1", "block3_conv1", "block5_conv1"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"style_layers": ["block6_conv1"]}, r"main\.style_layers\.0 = 'block6_conv1': .*block1_conv1.*block5_conv4"),
        ({"style_layers": ["block1_conv1", "relu1_1"]}, r"style_layers.*named twice"),
        ({"size": 8}, r"jobs\.main\.size = 8"),
        ({"optimizer": "sgd"}, r"'lbfgs' or 'adam'"),
        ({"optimizer": "adam"}, r"jobs\.main.*learning_rate = 1\.0 is too large for adam"),
        ({"iteration": 5}, r"jobs\.main\.iteration is not a known key; allowed here: .*iterations"),
        ({"style_weight": -1.0}, r"jobs\.main\.style_weight = -1\.0"),
        ({"style_layer_weights": {"conv9_1": 1.0}}, r"style_layer_weights.*conv9_1"),
        ({"content_layers": [], "style_layers": []}, r"nothing to optimise"),
        ({"content_weight": 0.0, "style_layer_weights": {"relu1_1": 0.0, "relu2_1": 0.0}}, r"nothing to optimise"),
    ],
)
def test_a_mistake_is_one_line_with_its_key(change: dict, line: str) -> None:
    with pytest.raises(UserError, match=line) as error:
        read(**change)
    assert "\n" not in str(error.value)
