"""The data of a step: a function of (seed, step), whoever asks; the shares of the kinds of steps."""

from pathlib import Path

import numpy as np
import pytest
import torch

from nnlab.adain.data import RECENT, Crops, cut, feed, grey, one_colour
from nnlab.data.imageset import ImageSet
from nnlab.errors import UserError
from tests.adain.training import SMALL, make_pools, settings

CPU = torch.device("cpu")


class Coded:
    """Three pictures whose pixels tell their kind and number, their row and their column."""

    def __init__(self, kind: int = 0) -> None:
        self.kind = kind

    def __len__(self) -> int:
        return 3

    def pixels(self, index: int, side: int) -> np.ndarray:
        rows, columns = np.mgrid[: side + index, : side + 8]
        return np.stack([np.full_like(rows, self.kind + index), rows, columns], axis=2).astype(np.uint8)


def coded(**changed: object) -> Crops:
    return Crops(Coded(), Coded(100), settings(**{**SMALL, **changed}))


def test_a_crop_is_a_whole_piece_of_a_picture_at_one_of_the_sides_mirrored_or_not() -> None:
    draws = torch.rand(400, 5, generator=torch.Generator().manual_seed(0)).tolist()
    crops = cut(Coded(), draws, 16, [16, 24])
    assert crops.shape == (400, 3, 16, 16)
    assert crops.dtype == torch.uint8
    assert crops.is_contiguous(memory_format=torch.channels_last)
    assert crops[:, 0, 0, 0].unique().tolist() == [0, 1, 2]
    pieces = {(pixels[0].unique().numel(), *pixels[1].diff(dim=0).unique().tolist()) for pixels in crops.int()}
    assert pieces == {(1, 1)}
    steps = [pixels[2].diff(dim=1).unique().tolist() for pixels in crops.int()]
    assert all(step in ([1], [-1]) for step in steps)
    assert 160 < steps.count([-1]) < 240
    assert crops[:, 2].amin(dim=(1, 2)).unique().tolist() == list(range(17))  # 24 + 8 - 16 + 1 places
    assert crops[:, 1].amin(dim=(1, 2)).unique().tolist() == list(range(11))  # 24 + 2 - 16 + 1


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    crops = coded()
    batches = {step: crops[step] for step in (7, 9, 0)}
    torch.testing.assert_close(crops[7], batches[7], rtol=0, atol=0)
    assert batches[7].content.shape == (2, 3, 16, 16)
    assert not torch.equal(batches[7].content, batches[9].content)
    assert max(int(crops[step].content[:, 1].max()) for step in range(30)) > 34, "rows of side 40; side 32 ends at 33"
    assert not torch.equal(batches[7].content, coded(seed=2)[7].content)


def test_a_batch_that_cannot_be_split_is_refused_in_a_line() -> None:
    with pytest.raises(UserError, match=r"^adain\.train\.batch_size = 2 cannot be split over 4 processes; use a mul"):
        Crops(Coded(), Coded(), settings(**SMALL), 0, 4)


def test_the_kinds_of_steps_have_the_shares_of_the_parameters() -> None:
    """Of 2,000 steps: identity steps; of the others those with a random alpha, a photo as style, a plain style."""
    crops = coded(max_iter=2000, identity={"share": 0.4, "pixel_weight": 1}, random_alpha=0.3, photo_styles=0.5,
                  plain_styles=0.2)  # fmt: skip
    batches = [crops[step] for step in range(2000)]
    others = [batch for batch in batches if batch.style is not None]
    assert len(others) / 2000 == pytest.approx(0.6, abs=0.04)
    partial = [batch.alpha for batch in others if batch.alpha != 1]
    assert len(partial) / len(others) == pytest.approx(0.3, abs=0.05)
    assert np.mean(partial) == pytest.approx(0.5, abs=0.05)
    assert 0 <= min(partial) < 0.1 < 0.9 < max(partial) < 1
    spread = [batch.style.float().std(dim=(2, 3)).amax() for batch in others]  # 0: of one colour
    channels = [(batch.style.int() - batch.style.int()[:, :1]).abs().amax() for batch in others]  # 0: grey
    assert np.mean([value == 0 for value in spread]) == pytest.approx(0.1, abs=0.03)
    assert np.mean([value == 0 for value in channels]) == pytest.approx(0.1, abs=0.03)
    coloured = [batch for batch, value in zip(others, channels) if value]
    assert np.mean([int(batch.style[0, 0, 0, 0]) < 100 for batch in coloured]) == pytest.approx(0.5, abs=0.05)
    assert {int(batch.content[0, 0, 0, 0]) for batch in batches} == {0, 1, 2}
    lags = [step - batch.recent for step, batch in enumerate(batches) if batch.recent is not None]
    assert set(lags) == set(range(1, RECENT + 1))
    assert all(torch.equal(batch.style, crops[batch.recent].content) for batch in others if batch.recent is not None)
    assert all(batch.style.is_contiguous(memory_format=torch.channels_last) for batch in others)  # a GPU's pinning


def test_plain_styles_by_hand() -> None:
    crops = torch.tensor([[[[10, 20]], [[20, 30]], [[60, 100]]]], dtype=torch.uint8)
    assert grey(crops).tolist() == [[[[30, 50]]] * 3]
    assert one_colour(crops).tolist() == [[[[10, 10]], [[20, 20]], [[60, 60]]]]
    assert grey(crops).dtype == one_colour(crops).dtype == torch.uint8


@pytest.mark.parametrize(("cache", "workers"), [(0, 0), (1 << 24, 0), (1 << 24, 2)])
def test_the_feed_gives_the_same_batches_however_they_are_prepared(tmp_path: Path, cache: int, workers: int) -> None:
    folders, params = make_pools(tmp_path), settings(**SMALL)
    expected = Crops(*(ImageSet(folder) for folder in folders), params)
    crops = Crops(*(ImageSet(folder, cache) for folder in folders), params)
    given = list(feed(crops, range(3, 12), workers, CPU))
    torch.testing.assert_close(given, [expected[step] for step in range(3, 12)], rtol=0, atol=0)
    assert all(batch.content.is_contiguous(memory_format=torch.channels_last) for batch in given)


class Damaged(Coded):
    """A set that cannot be read, and would not fit into memory."""

    def fits(self, side: int) -> bool:
        return False

    def pixels(self, index: int, side: int) -> np.ndarray:
        raise UserError("shard.tar: damaged; delete it")


@pytest.mark.parametrize("workers", [0, 1])
def test_what_a_user_can_mend_stays_one_line_also_from_a_helper_process(workers: int) -> None:
    with pytest.raises(UserError, match=r"^shard\.tar: damaged; delete it$"):
        list(feed(Crops(Damaged(), Damaged(), settings(**SMALL)), range(3), workers, CPU))
