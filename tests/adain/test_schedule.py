import pytest

from nnlab.adain.schedule import finish_start, learning_rate, milestones
from tests.adain.training import settings


def test_reference_schedule():
    params = settings(schedule="reference", learning_rate=1e-4, warmup=0, max_iter=160_000)
    assert learning_rate(params, 0) == 1e-4
    assert learning_rate(params, 20_000) == pytest.approx(1e-4 / 2)


def test_cosine_rises_and_falls():
    params = settings(schedule="cosine", learning_rate=1.0, warmup=9, max_iter=109)
    assert learning_rate(params, 0) == pytest.approx(0.1)
    assert learning_rate(params, 9) == pytest.approx(1.0)
    assert learning_rate(params, 59) == pytest.approx(0.505)
    assert learning_rate(params, 108) == pytest.approx(0.01, rel=0.05)


def test_milestones_are_whole_iterations():
    assert milestones(settings(max_iter=10_000)) == {10: 1000, 50: 5000, 80: 8000, 100: 10_000}
    assert milestones(settings(max_iter=7)) == {10: 1, 50: 4, 80: 6, 100: 7}


def test_the_finish_is_the_last_share_of_the_run():
    def start(share, max_iter, partners=1):
        finish = {"share": share, "crop": 64, "resize": 64}
        return finish_start(settings(max_iter=max_iter, partners=partners, finish=finish))

    assert start(0.3, 10_000) == 7000
    assert start(0, 10_000) == 10_000
    assert start(0.5, 7) == 4
    assert start(0.3, 10_000, partners=4) == 6992  # with new crops: a multiple of 16
    assert start(0, 10_001, partners=4) == 10_001
