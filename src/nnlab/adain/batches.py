"""The training data of a step: random crops of content and style pictures, a function of (seed, step) alone.

Nothing here has a state: whichever process asks for step t, after whichever interruption, gets the same pixels.
"""

import math
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from types import TracebackType

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from nnlab.adain.processes import cores_each
from nnlab.data.pools import Pictures
from nnlab.errors import UserError
from nnlab.training.seeds import generator

_PIXEL = np.dtype("V3")
AHEAD = 4  # batches that are prepared in advance, per worker process


def batch(
    content: Pictures, style: Pictures, seed: int, step: int, batch_size: int, crop: int, rank: int = 0, world: int = 1
) -> tuple[Tensor, Tensor]:
    """Content and style crops of step `step`, each (batch_size / world, 3, crop, crop) uint8, channels-last.

    `batch_size` is the global one; rank r gets its r-th part, so that the union over the ranks is the same for any
    `world`. Each pool is gone through in a random order, all pictures once before any comes again (as in
    pytorch-AdaIN's InfiniteSampler); crops are uniform, and mirrored with probability 1/2.
    """
    if batch_size % world:
        raise UserError(f"adain.train.batch_size = {batch_size} cannot be split over {world} processes; use a multiple")
    share = batch_size // world
    draws = torch.rand(2, batch_size, 3, generator=generator(seed, "crops", step), dtype=torch.float64)
    mine = draws[:, rank * share : (rank + 1) * share].tolist()
    first = step * batch_size + rank * share
    return (
        _crops(content, [_index(seed, "content", len(content), first + j) for j in range(share)], mine[0], crop),
        _crops(style, [_index(seed, "style", len(style), first + j) for j in range(share)], mine[1], crop),
    )


def _index(seed: int, name: str, count: int, position: int) -> int:
    """The picture at `position` of the endless sequence of shuffled passes through a pool of `count` pictures."""
    return int(_order(seed, name, count, position // count)[position % count])


@lru_cache(maxsize=8)
def _order(seed: int, name: str, count: int, epoch: int) -> np.ndarray:
    return torch.randperm(count, generator=generator(seed, name, epoch)).numpy()


def _crops(pool: Pictures, indices: list[int], draws: list[list[float]], crop: int) -> Tensor:
    """Cut one crop out of each picture: `draws` holds (top, left, mirrored) in [0, 1)."""
    out = np.empty((len(indices), crop, crop, 3), dtype=np.uint8)
    for row, index, (top, left, mirrored) in zip(out, indices, draws):
        pixels = pool.pixels(index)
        height, width, _ = pixels.shape
        if min(height, width) < crop:
            raise UserError(f"{pool.names[index]}: {width}x{height} pixels, smaller than adain.train.crop = {crop}")
        y, x = math.floor(top * (height - crop + 1)), math.floor(left * (width - crop + 1))
        cut = pixels[y : y + crop, x : x + crop]
        if mirrored < 0.5:  # a pixel as one item of three bytes is copied faster than its channels
            row.view(_PIXEL)[:] = cut.view(_PIXEL)[:, ::-1]
        else:
            row[:] = cut
    return torch.from_numpy(out).permute(0, 3, 1, 2)


class Batches(Dataset):
    """`batches[step]` is `batch(..., step, ...)`: what `Feed` and its worker processes hold."""

    def __init__(
        self, content: Pictures, style: Pictures, seed: int, batch_size: int, crop: int, rank: int = 0, world: int = 1
    ) -> None:
        self.content, self.style = content, style
        self._seed, self._batch_size, self._crop, self._rank, self._world = seed, batch_size, crop, rank, world

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        return batch(self.content, self.style, self._seed, step, self._batch_size, self._crop, self._rank, self._world)

    @property
    def fits(self) -> bool:
        """Whether all decoded pictures stay in memory."""
        return self.content.fits and self.style.fits

    def release(self) -> None:
        """Give the memory of decoded pictures back; from now on none is kept."""
        self.content.release()
        self.style.release()

    def parts(self, steps: range) -> Iterator[tuple["Batches", range]]:
        """What makes the batches of `steps`."""
        yield self, steps


class InTwoParts:
    """`first` up to the step `turn`, `then` from it on."""

    def __init__(self, first: Batches, then: Batches, turn: int) -> None:
        self._first, self._then, self._turn = first, then, turn

    def parts(self, steps: range) -> Iterator[tuple[Batches, range]]:
        """What makes the batches of `steps`, and of which; the second is asked for when the first has made its own."""
        yield self._first, range(steps.start, min(steps.stop, self._turn))
        self._first.release()
        yield self._then, range(max(steps.start, self._turn), steps.stop)


class Feed:
    """The batches of the steps [start, stop) on `device`, prepared ahead; iterate inside `with Feed(...) as feed`.

    Where the decoded pictures of both pools stay in memory, one thread prepares the batches. Otherwise up to `workers`
    processes do (0: one thread), at most one per core, and keep no pictures: each would keep its own. The batches are
    the same in each case. `waited` counts the seconds that the loop waited for data.
    """

    def __init__(
        self, batches: Batches | InTwoParts, start: int, stop: int, workers: int = 0, device: torch.device | str = "cpu"
    ) -> None:
        self._device, self._workers = torch.device(device), min(workers, cores_each())
        self._pin = self._device.type == "cuda"
        self._source = self._prepared(batches.parts(range(start, stop)))
        self.waited = 0.0

    def __enter__(self) -> "Feed":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._source.close()
        if isinstance(error, RuntimeError) and "DataLoader worker (pid" in str(error):  # raised wherever the loop is
            raise UserError(
                "a process that loads pictures was killed, perhaps for lack of memory, or of shared memory (/dev/shm); "
                "lower adain.run.workers (0: a thread loads them), and run the same command again to go on"
            ) from None

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return self

    def __next__(self) -> tuple[Tensor, Tensor]:
        began = time.perf_counter()
        content, style = next(self._source)
        self.waited += time.perf_counter() - began
        return content.to(self._device, non_blocking=self._pin), style.to(self._device, non_blocking=self._pin)

    def _prepared(self, parts: Iterable[tuple[Batches, range]]) -> Generator[tuple[Tensor, Tensor], None, None]:
        for batches, steps in parts:
            if not steps:
                continue
            if self._workers and not batches.fits:
                batches.release()
                yield from self._processes(batches, steps)
            else:
                yield from self._thread(batches, steps)

    def _thread(self, batches: Batches, steps: range) -> Generator[tuple[Tensor, Tensor], None, None]:
        waiting: deque = deque()
        with ThreadPoolExecutor(1) as executor:
            for step in steps:
                waiting.append(executor.submit(self._ready, batches, step))
                if len(waiting) > AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _ready(self, batches: Batches, step: int) -> tuple[Tensor, Tensor]:
        content, style = batches[step]
        return (content.pin_memory(), style.pin_memory()) if self._pin else (content, style)

    def _processes(self, batches: Batches, steps: range) -> Generator[tuple[Tensor, Tensor], None, None]:
        loader = DataLoader(
            batches,
            batch_size=None,
            sampler=steps,
            num_workers=self._workers,
            prefetch_factor=AHEAD,
            pin_memory=self._pin,
        )
        try:
            yield from loader
        except UserError as error:  # torch puts the worker's traceback into the text
            raise UserError(str(error).strip().splitlines()[-1].partition("UserError: ")[2]) from None
