"""Which encoded photo meets which encoded painting: each is encoded once and meets several partners.

The encoder does not learn, so what it makes of a crop stays true; encoding two new crops for every pair is two of the
seven passes of a step. With n partners, n batches of crops are encoded for n² steps, in which every photo meets every
painting (data echoing, Choi et al. 2019, arXiv:1907.05550, in both inputs). A function of the step alone, so that a run
may go on from any step, and pairs within a place of the batch, so that processes need not exchange anything.
"""

from collections.abc import Iterator
from typing import TypeVar

Photos = TypeVar("Photos")
Paintings = TypeVar("Paintings")


def batches_needed(steps: int, partners: int) -> int:
    """How many batches of crops the first `steps` steps take."""
    blocks, rest = divmod(steps, partners**2)
    return blocks * partners + min(rest, partners)


def block_start(step: int, partners: int) -> int:
    """The step at which the batches that `step` uses begin to be taken."""
    return step - step % partners**2


def pairings(
    batches: Iterator[tuple[Photos, Paintings]], partners: int, start: int, stop: int
) -> Iterator[tuple[Photos, Paintings]]:
    """The photos and paintings of the steps [start, stop).

    `batches` begins at `block_start(start)`: the batch of number `batches_needed(block_start(start))`. One is taken in
    each of the first `partners` steps of a block, and none in the others.
    """
    held: list[tuple[Photos, Paintings]] = []
    for step in range(block_start(start, partners), stop):
        shift, place = divmod(step % partners**2, partners)
        if shift == 0:
            held = [*held[:place], next(batches)]
        if step >= start:
            yield held[place][0], held[(place + shift) % partners][1]
