"""The training loop in this process: curves, milestones, resuming, damaged and full disks."""

import threading
from shutil import copytree

import pytest
import torch

from nnlab.adain.batches import Batches
from nnlab.adain.launch import _named_compiler
from nnlab.adain.processes import Processes
from nnlab.adain.train import Setting, new_state, train
from nnlab.adain.trained import export, milestone
from nnlab.adain.watch import rows
from nnlab.adain.weights import load_decoder, load_encoder
from nnlab.data.pools import Pool
from nnlab.errors import UserError
from nnlab.training import state as state_module
from tests.adain.training import SMALL, make_pools, settings

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def pools(tmp_path_factory):
    return [Pool(path, 64, 1 << 24) for path in make_pools(tmp_path_factory.mktemp("pools"))]


@pytest.fixture(scope="module")
def encoder(weight_files):
    return load_encoder(weight_files[0])


class Stop(Exception):
    pass


def run(pools, encoder, folder, params=None, stop_at=None, save_every=4, seen=None):
    params = params or settings(**SMALL)
    batches = Batches(*pools, params.seed, params.batch_size, params.crop)
    setting = Setting(Processes(0, 1, CPU), torch.float32, 0, save_every)

    def report(what):
        if seen is not None:
            seen.append(what)
        if stop_at is not None and what.step >= stop_at:
            raise Stop

    folder.mkdir(exist_ok=True)
    return train(encoder, batches, params, setting, folder, report)


@pytest.fixture(scope="module")
def whole(pools, encoder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return run(pools, encoder, folder), folder


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.tensors().values(), b.tensors().values()))


def test_the_loss_falls(pools, encoder, tmp_path):
    state = run(pools, encoder, tmp_path, settings(**{**SMALL, "max_iter": 24}), save_every=100)
    assert (state.history[-8:].mean(0) < state.history[:8].mean(0)).all()


def test_milestones_are_kept(whole):
    state, folder = whole
    for percent in (10, 50, 80, 100):
        load_decoder(milestone(folder, percent))
    final = load_decoder(milestone(folder, 100)).state_dict()
    assert all(torch.equal(final[name], value) for name, value in state.average.state_dict().items())


@pytest.mark.parametrize("stop_at", [1, 5, 7, 8, 11])
def test_a_stopped_run_goes_on_to_the_same_bits(whole, pools, encoder, tmp_path, stop_at):
    with pytest.raises(Stop):
        run(pools, encoder, tmp_path, stop_at=stop_at)
    state = run(pools, encoder, tmp_path)
    assert same(state, whole[0])
    assert torch.equal(state.history, whole[0].history)


def test_no_step_waits_for_the_device(pools, encoder, tmp_path, monkeypatch):
    """Losses are read where a row of the curves ends, in one go: a GPU that is asked in between stands still."""
    reads, reports = [], []
    for name in ("item", "tolist", "cpu", "numpy", "__bool__", "__float__", "__int__", "__index__"):
        real = getattr(torch.Tensor, name)

        def counted(tensor, *rest, real=real, name=name):
            if threading.current_thread() is threading.main_thread():  # batches are prepared in another one
                reads.append(name)
            return real(tensor, *rest)

        monkeypatch.setattr(torch.Tensor, name, counted)
    for max_iter in (4, 8):
        reads.clear()
        params = settings(**{**SMALL, "max_iter": max_iter, "log_every": max_iter, "checkpoint_fractions": [1.0]})
        run(pools, encoder, tmp_path / str(max_iter), params, save_every=100, seen=[])
        reports.append(list(reads))
    assert reports[0] == reports[1]


def test_a_finished_run_is_not_done_again(whole, pools, encoder):
    seen = []
    assert same(run(pools, encoder, whole[1], seen=seen), whole[0])
    assert [report.step for report in seen] == [12]


@pytest.fixture(scope="module")
def stopped(pools, encoder, tmp_path_factory):
    """The folder of a run that was stopped after its first milestone and two saved states."""
    folder = tmp_path_factory.mktemp("stopped")
    with pytest.raises(Stop):
        run(pools, encoder, folder, stop_at=11)
    return folder


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_of_damaged_states_the_last_whole_one_serves(whole, pools, encoder, stopped, tmp_path, damage):
    folder = copytree(stopped, tmp_path / "run")
    before, newest = sorted(folder.glob("state-*"))
    spoil(newest, damage)
    seen = []
    assert same(run(pools, encoder, folder, seen=seen), whole[0])
    assert seen[0].step == int(before.stem.split("-")[1])


def spoil(path, damage):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content if damage == "flipped" else content[: len(content) // 2])


@pytest.mark.parametrize("damage", ["missing", "cut", "flipped"])
def test_without_its_milestone_a_state_is_not_used(whole, pools, encoder, stopped, tmp_path, damage):
    folder = copytree(stopped, tmp_path / "run")
    path = milestone(folder, 10)
    path.unlink() if damage == "missing" else spoil(path, damage)
    assert same(run(pools, encoder, folder), whole[0])
    assert path.read_bytes() == milestone(whole[1], 10).read_bytes()


def test_a_full_disk_keeps_the_last_state_and_the_training(whole, pools, encoder, tmp_path, monkeypatch, capsys):
    real, calls = state_module.save_tensors, []

    def full(path, tensors, *rest):
        calls.append(path)
        if len(calls) > 1:
            raise OSError(28, "No space left on device", str(path))
        real(path, tensors, *rest)

    monkeypatch.setattr(state_module, "save_tensors", full)
    assert same(run(pools, encoder, tmp_path), whole[0])
    assert "No space left" in capsys.readouterr().err
    assert len(list(tmp_path.glob("state-*"))) == 1


def test_a_diverged_training_ends_with_one_line(pools, encoder, tmp_path):
    with pytest.raises(UserError, match=r"not finite at iteration \d+; lower adain.train.learning_rate"):
        run(pools, encoder, tmp_path, settings(**{**SMALL, "learning_rate": 1e30, "warmup": 0}))


def test_rows_are_means_and_wait_for_whole_intervals():
    params = settings(max_iter=7, log_every=3)
    losses = torch.arange(14.0).view(7, 2)
    table = rows(losses, 0, params)
    assert [row[:3] for row in table] == [(3, 2.0, 3.0), (6, 8.0, 9.0), (7, 12.0, 13.0)]
    assert [row[0] for row in rows(losses[:5], 0, params)] == [3]


def test_the_first_state_depends_on_the_seed_alone():
    one, two, other = (new_state(settings(seed=seed), CPU) for seed in (1, 1, 2))
    assert same(one, two)
    assert not same(one, other)


def test_export_checks_the_names(whole, tmp_path):
    paths = [tmp_path / f"decoder_{percent}.safetensors" for percent in (10, 50, 80, 100)]
    export(whole[1], paths)
    assert load_decoder(paths[3])
    with pytest.raises(UserError, match="checkpoint_fractions"):
        export(whole[1], paths[1:])
    with pytest.raises(UserError, match="nothing: not found; run `dvc repro`"):
        export(tmp_path / "nothing", paths)


def test_a_missing_compiler_is_named_with_its_key():
    from torch._inductor.exc import InvalidCxxCompiler

    with pytest.raises(UserError, match=r"adain\.run\.compile = true: .*set it to false"), _named_compiler(True):
        raise InvalidCxxCompiler
    with pytest.raises(ZeroDivisionError), _named_compiler(True):
        raise ZeroDivisionError
