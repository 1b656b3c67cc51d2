"""Batches: a function of (seed, step), whoever asks; each picture once per pass; the ranks' union is the whole."""

import os
import signal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from nnlab.adain import processes
from nnlab.adain.batches import Batches, Feed, InTwoParts, batch
from nnlab.adain.launch import training_batches
from nnlab.data.packing import pack
from nnlab.data.pools import Pool
from nnlab.errors import UserError
from tests.adain.training import settings
from tests.data.test_imageset import some


class Coded:
    """A pool whose pixels tell their picture, row and column."""

    fits = True
    released = 0
    names = tuple("abcde")

    def __len__(self) -> int:
        return 5

    def release(self) -> None:
        self.released += 1

    def pixels(self, index: int) -> np.ndarray:
        rows, columns = np.mgrid[: 40 + index, :60]
        return np.stack([np.full_like(rows, index), rows, columns], axis=2).astype(np.uint8)


@pytest.fixture(scope="module")
def pools(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("pools")
    pack(some(7), folder / "content", 96)
    pack(some(5, (140, 180)), folder / "style", 96)
    return folder / "content", folder / "style"


def test_crops_are_uint8_channels_last_and_whole_pieces_of_the_pictures() -> None:
    pool = Coded()
    content, style = batch(pool, pool, 1, 3, 6, 32)
    for crops in (content, style):
        assert crops.shape == (6, 3, 32, 32)
        assert crops.dtype == torch.uint8
        assert crops.is_contiguous(memory_format=torch.channels_last)
        for picture, rows, columns in crops.int():
            assert picture.unique().numel() == 1
            assert (rows.diff(dim=0) == 1).all()
            assert (rows.diff(dim=1) == 0).all()
            steps = columns.diff(dim=1).unique().tolist()
            assert steps in ([1], [-1])  # [-1]: mirrored
    assert not torch.equal(content, style)


def test_offsets_and_mirroring_are_uniform() -> None:
    crops = torch.cat([batch(Coded(), Coded(), 0, step, 8, 32)[0] for step in range(150)]).int()
    mirrored = crops[:, 2, 0, 0] > crops[:, 2, 0, 1]
    assert abs(mirrored.float().mean() - 0.5) < 0.05
    left = crops[:, 2].amin(dim=(1, 2))
    assert left.unique().tolist() == list(range(29))  # 60 - 32 + 1 places
    last = crops[crops[:, 0, 0, 0] == 4]
    assert last[:, 1].amin(dim=(1, 2)).unique().tolist() == list(range(13))


def test_every_picture_comes_once_before_any_comes_again() -> None:
    shown = torch.cat([batch(Coded(), Coded(), 3, step, 2, 32)[0][:, 0, 0, 0] for step in range(25)]).tolist()
    passes = [shown[at : at + 5] for at in range(0, 50, 5)]
    assert all(sorted(one) == [0, 1, 2, 3, 4] for one in passes)
    assert any(one != other for one, other in pairwise(passes))


def test_a_batch_depends_on_seed_and_step_only() -> None:
    first = batch(Coded(), Coded(), 1, 7, 4, 32)
    for step in (9, 0, 7):
        again = batch(Coded(), Coded(), 1, step, 4, 32)
    assert all(torch.equal(a, b) for a, b in zip(first, again))
    assert not torch.equal(first[0], batch(Coded(), Coded(), 2, 7, 4, 32)[0])
    assert not torch.equal(first[0], batch(Coded(), Coded(), 1, 8, 4, 32)[0])


@pytest.mark.parametrize("world", [1, 2, 3, 6])
def test_the_union_over_the_ranks_is_the_global_batch(world: int) -> None:
    whole = batch(Coded(), Coded(), 1, 11, 6, 32)
    parts = [batch(Coded(), Coded(), 1, 11, 6, 32, rank, world) for rank in range(world)]
    for of_whole, of_parts in zip(whole, zip(*parts)):
        assert torch.equal(of_whole, torch.cat(of_parts))


def test_a_batch_that_cannot_be_split_is_refused() -> None:
    with pytest.raises(UserError, match="batch_size = 6 cannot be split over 4 processes"):
        batch(Coded(), Coded(), 1, 0, 6, 32, 0, 4)


def test_a_crop_larger_than_a_picture_is_refused_by_name() -> None:
    with pytest.raises(UserError, match=r"60x4\d pixels, smaller than adain\.train\.crop = 48"):
        batch(Coded(), Coded(), 1, 0, 6, 48)


@pytest.mark.parametrize(("cache", "workers"), [(0, 0), (1 << 30, 4), (0, 1), (0, 2)])
def test_the_feed_gives_the_same_batches_however_they_are_prepared(
    pools: tuple[Path, Path], cache: int, workers: int
) -> None:
    content, style = (Pool(path, 64, cache) for path in pools)
    expected = [batch(content, style, 5, step, 4, 48) for step in range(3, 12)]
    with Feed(Batches(content, style, 5, 4, 48), 3, 12, workers) as feed:
        given = list(feed)
    assert len(given) == 9
    assert all(torch.equal(a, b) for one, other in zip(expected, given) for a, b in zip(one, other))
    assert all(crops.is_contiguous(memory_format=torch.channels_last) for one in given for crops in one)
    assert feed.waited > 0


@pytest.mark.parametrize("workers", [0, 2])
def test_a_feed_can_be_left_early(pools: tuple[Path, Path], workers: int) -> None:
    content, style = (Pool(path, 64) for path in pools)
    with Feed(Batches(content, style, 5, 4, 48), 0, 1000, workers) as feed:
        next(feed)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_users_error_in_a_worker_stays_one_line(pools: tuple[Path, Path], workers: int) -> None:
    content, style = (Pool(path, 64) for path in pools)
    with (
        Feed(Batches(content, style, 5, 4, 80), 0, 9, workers) as feed,
        pytest.raises(UserError, match=r"^\d\.jpg: \d+x\d+ pixels, smaller than adain\.train\.crop = 80$"),
    ):
        next(feed)


def test_the_second_part_of_a_run_goes_on_with_its_own_crops_and_the_first_ones_memory_is_given_back() -> None:
    pools = [Coded() for _ in range(4)]
    first, then = Batches(*pools[:2], 1, 2, 16), Batches(*pools[2:], 1, 2, 32)
    for start, wanted in (1, [first[1], then[2], then[3]]), (2, [then[2], then[3]]):
        with Feed(InTwoParts(first, then, 2), start, 4) as feed:
            steps = list(feed)
        for (content, style), (wanted_content, wanted_style) in zip(steps, wanted, strict=True):
            assert torch.equal(content, wanted_content)
            assert torch.equal(style, wanted_style)
    assert [pool.released for pool in pools] == [2, 2, 0, 0]


@pytest.mark.parametrize("share", [0, 0.5])
def test_only_a_last_part_that_is_trained_has_pictures_in_memory(pools: tuple[Path, Path], share: float) -> None:
    finish = {"share": share, "crop": 64, "resize": 4096}  # no cache would hold them
    made = training_batches(settings(crop=32, resize=64, finish=finish), pools[0], pools[0], 1 << 24)
    assert [part.fits for part, steps in made.parts(range(100)) if steps] == ([True, False] if share else [True])


class Counting(Pool):
    """Pixels tell how many pictures are kept in the process that decodes them."""

    def pixels(self, index: int) -> np.ndarray:
        super().pixels(index)
        return np.full((64, 64, 3), len(self._set._kept), np.uint8)


@pytest.mark.parametrize("workers", [0, 1])
def test_loader_processes_keep_no_pictures(pools: tuple[Path, Path], workers: int) -> None:
    content, style = Counting(pools[0], 64, 1 << 24), Counting(pools[1], 64)
    with Feed(Batches(content, style, 5, 4, 48), 0, 4, workers) as feed:
        kept = max(int(batch.max()) for pair in feed for batch in pair)
    assert kept == (0 if workers else 7)


def test_processes_and_their_loaders_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "usable_cores", lambda: 8)
    assert processes.cores_each() == 8
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    assert processes.cores_each() == 2
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "9")
    assert processes.cores_each() == 1


class Killed(Coded):
    """A picture that ends the loader, as a system short of memory would."""

    fits = False

    def pixels(self, index: int) -> np.ndarray:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


def test_a_killed_loader_process_is_one_line() -> None:
    with (
        pytest.raises(UserError, match=r"was killed, .* memory \(/dev/shm\); lower adain\.run\.workers"),
        Feed(Batches(Killed(), Killed(), 5, 4, 32), 0, 9, 1) as feed,
    ):
        next(feed)
