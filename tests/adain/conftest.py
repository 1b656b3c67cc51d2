"""Networks with random weights from fixed seeds: their pictures vary, and nothing needs training."""

import pytest

from tests.adain.reference import write_weights


@pytest.fixture(scope="session")
def weight_files(tmp_path_factory):
    """Paths of an encoder and a decoder in the reference's format."""
    return write_weights(tmp_path_factory.mktemp("weights"))
