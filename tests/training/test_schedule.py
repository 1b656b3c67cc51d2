"""The learning rate over a run."""

import pytest
import torch

from nnlab.training.schedule import one_cycle, set_learning_rate


def test_one_cycle_rises_to_one_at_a_fifth_and_falls_to_almost_nothing() -> None:
    factors = [one_cycle(step, 10) for step in range(10)]
    assert factors[:2] == pytest.approx([0.25, 0.75])
    assert factors[2] == pytest.approx(0.75 / 0.8)
    assert factors[-1] == pytest.approx(0.05 / 0.8)
    assert max(one_cycle(step, 1000) for step in range(1000)) == pytest.approx(1.0, abs=0.01)
    assert 0 < one_cycle(0, 1) <= 1


def test_every_group_gets_the_rate() -> None:
    groups = [{"params": [torch.zeros(1, requires_grad=True)]} for _ in range(2)]
    optimizer = torch.optim.SGD(groups, lr=1.0)
    set_learning_rate(optimizer, 0.25)
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.25]
