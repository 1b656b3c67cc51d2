"""Networks with random weights from fixed seeds: their pictures vary, and nothing needs training."""

import pytest
import torch

from nnlab.adain.weights import load_decoder, load_encoder
from tests.adain.reference import DECODER, ENCODER, state


@pytest.fixture(scope="session")
def weight_files(tmp_path_factory):
    """Paths of an encoder and a decoder in the reference's format."""
    folder = tmp_path_factory.mktemp("weights")
    torch.save(state(ENCODER, 1000), folder / "vgg_normalised.pth")
    torch.save(state(DECODER, 2000), folder / "decoder.pth")
    return folder / "vgg_normalised.pth", folder / "decoder.pth"


@pytest.fixture(scope="session")
def encoder(weight_files):
    """Read from that file; nobody changes it."""
    return load_encoder(weight_files[0])


@pytest.fixture(scope="session")
def decoder(weight_files):
    """Likewise."""
    return load_decoder(weight_files[1])
