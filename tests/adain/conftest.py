"""Networks with random weights from fixed seeds: their pictures vary, and nothing needs training."""

import pytest

from nnlab.adain.weights import load_decoder, load_encoder
from tests.adain.reference import write_weights


@pytest.fixture(scope="session")
def weight_files(tmp_path_factory):
    """Paths of an encoder and a decoder in the reference's format."""
    return write_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="session")
def encoder(weight_files):
    """Read from that file; nobody changes it."""
    return load_encoder(weight_files[0])


@pytest.fixture(scope="session")
def decoder(weight_files):
    """Likewise."""
    return load_decoder(weight_files[1])
