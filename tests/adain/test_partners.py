from itertools import product

import pytest

from nnlab.adain.partners import batches_needed, block_start, pairings


def taken(partners, start, stop):
    """The steps' pairs of batch numbers, and the numbers of the batches that were taken."""
    first, last = (batches_needed(step, partners) for step in (block_start(start, partners), stop))
    log = []
    batches = (log.append(number) or (number, number) for number in range(first, last))
    return list(pairings(batches, partners, start, stop)), log


def test_each_photo_meets_each_painting_of_its_block_once():
    pairs, log = taken(3, 0, 18)
    assert set(pairs[:9]) == set(product((0, 1, 2), repeat=2))
    assert set(pairs[9:]) == set(product((3, 4, 5), repeat=2))
    assert log == [0, 1, 2, 3, 4, 5]  # each batch is encoded once


def test_one_partner_is_a_new_pair_in_every_step():
    assert taken(1, 0, 5)[0] == [(number, number) for number in range(5)]


def test_a_batch_is_encoded_in_the_step_that_first_uses_it():
    log = []
    steps = pairings(iter((n, log.append(n)) for n in range(8)), 4, 0, 32)
    assert [next(steps) and len(log) for _ in range(20)] == [1, 2, 3, 4] + [4] * 12 + [5, 6, 7, 8]


@pytest.mark.parametrize("partners", [1, 2, 3, 4])
def test_a_run_may_go_on_from_any_step(partners):
    whole, _ = taken(partners, 0, 37)
    assert len(whole) == 37
    for start in range(38):
        assert taken(partners, start, 37)[0] == whole[start:]
