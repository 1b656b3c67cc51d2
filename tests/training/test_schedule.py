"""The learning rate over a run."""

import pytest

from nnlab.training.schedule import one_cycle


def test_one_cycle_rises_to_one_at_a_fifth_and_falls_to_almost_nothing() -> None:
    factors = [one_cycle(step, 10) for step in range(10)]
    assert factors[:2] == pytest.approx([0.25, 0.75])
    assert factors[2] == pytest.approx(0.75 / 0.8)
    assert factors[-1] == pytest.approx(0.05 / 0.8)
    assert max(one_cycle(step, 1000) for step in range(1000)) == pytest.approx(1.0, abs=0.01)
    assert 0 < one_cycle(0, 1) <= 1
