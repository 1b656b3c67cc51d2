"""Randomness: every draw is a function of the seed and a named stream."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def generator(seed: int, *stream: int | str) -> torch.Generator:
    """Return a CPU generator whose draws depend on `seed` and the named stream alone, on no earlier draw.

    `generator(seed, "batch", t)` makes the batch of step t the same for every worker, process and resumed run.
    """
    digest = hashlib.sha256(json.dumps([seed, *stream]).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


@contextmanager
def initial_weights(seed: int) -> Iterator[None]:
    """Within the block, new layers draw their weights from `seed`; PyTorch's global generator is not moved."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(generator(seed, "weights").initial_seed())
        yield
