import pytest
import torch

from nnlab.adain.held_out import held_out_losses, held_out_pairs, split
from nnlab.adain.losses import decoding_losses, encode
from nnlab.adain.model import to_images
from nnlab.adain.train import initial_decoder
from nnlab.adain.weights import load_encoder
from nnlab.data.pools import Pool
from nnlab.errors import UserError
from tests.adain.training import make_pools


@pytest.fixture(scope="module")
def pools(tmp_path_factory):
    return [Pool(path, 32) for path in make_pools(tmp_path_factory.mktemp("pools"), 30)]


def test_held_out_pictures_are_not_trained_on(pools):
    train, held_out = split(pools[0], 4, 1, "content")
    assert len(held_out) == 4
    assert sorted(train.names + held_out.names) == sorted(pools[0].names)
    again = split(pools[0], 4, 1, "content")[1]
    assert again.names == held_out.names
    assert split(pools[0], 4, 2, "content")[1].names != held_out.names


class Numbered:
    """A pool of `count` pictures that nobody looks at."""

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count


@pytest.mark.parametrize(
    ("pictures", "held_out"), [(6, 1), (8, 2), (12, 3), (16, 4), (17, 4), (30, 5), (360, 60), (5000, 64)]
)
def test_a_pool_gives_up_a_sixth_or_a_few_of_a_small_one(pictures, held_out):
    train, kept = split(Numbered(pictures), 64, 1, "content")
    assert (len(train), len(kept)) == (pictures - held_out, held_out)


def test_a_tiny_pool_is_refused(tmp_path):
    pool = Pool(make_pools(tmp_path, 5)[0], 32)
    with pytest.raises(UserError, match="5 pictures"):
        split(pool, 64, 1, "content")


def test_every_held_out_picture_takes_part(pools):
    pairs = held_out_pairs(*pools, 10, 32, 1)
    assert pairs.content.shape == pairs.style.shape == (10, 3, 32, 32)
    assert all(len(torch.unique(side, dim=0)) == 5 for side in pairs)
    assert pairs.distinct() == (5, 5)


def test_losses_are_the_mean_over_pairs(pools, weight_files):
    encoder, decoders = load_encoder(weight_files[0]), [initial_decoder(seed) for seed in (0, 1)]
    pairs = held_out_pairs(*pools, 10, 32, 1)
    found = held_out_losses(encoder, decoders, pairs, torch.device("cpu"))
    for decoder, losses in zip(decoders, found, strict=True):
        with torch.no_grad():
            encoded = encode(encoder, *(to_images(side, torch.float32) for side in pairs))
            expected = decoding_losses(encoder, decoder, *encoded)
        assert losses == pytest.approx(expected.tolist(), rel=1e-4)
