"""The training stage as its own process: killed, disturbed, in several processes."""

import csv
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from nnlab.adain import launch
from nnlab.adain.processes import Processes
from nnlab.params import load_params
from tests.adain.test_processes import ended
from tests.adain.training import SMALL, make_pools
from tests.quick import override

ROOT = Path(__file__).resolve().parents[2]
PERCENTS = (10, 50, 80, 100)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory, weight_files):
    folder = tmp_path_factory.mktemp("inputs")
    return [weight_files[0], *make_pools(folder)]


def prepare(folder, run=None, **changed):
    """A project folder with small parameters."""
    (folder / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    train = {**SMALL, "max_iter": 24, **changed}
    values = {f"adain.train.{key}": value for key, value in train.items()}
    values |= {f"adain.run.{key}": value for key, value in {"save_every": 4, "workers": 0, **(run or {})}.items()}
    override(folder / "params.yaml", {**values, "hardware.device": "cpu", "hardware.precision": "float32"})


def start(folder, inputs, out="training"):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(ROOT / "stages/adain_train.py"), *map(str, inputs), out]
    return subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)


def finish(process):
    error = process.communicate(timeout=300)[1]
    assert process.returncode == 0, error
    return error


def decoders(folder):
    return [(folder / f"training/milestone_{percent}.safetensors").read_bytes() for percent in PERCENTS]


def wait_for(folder, pattern, process):
    end = time.monotonic() + 200
    while not list(folder.glob(pattern)):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture(scope="module")
def whole(inputs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    prepare(folder)
    error = finish(start(folder, inputs))
    assert "at least 10000" in error
    assert not list(folder.glob(".resume/adain_train-*"))
    return folder


@pytest.mark.slow
def test_tensorboard_has_curves_and_pictures(whole):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(whole / "runs/adain")).Reload()
    tags = events.Tags()
    assert set(tags["scalars"]) == {"content_loss", "style_loss", "learning_rate"}
    assert tags["images"] == ["content, style, result"]
    assert [event.step for event in events.Scalars("style_loss")] == list(range(3, 25, 3))
    assert events.Images("content, style, result")[-1].step == 24


@pytest.mark.slow
@pytest.mark.parametrize("state", ["state-000000004*", "state-000000016*"])
def test_killed_at_any_moment_it_goes_on_to_the_same_bits(whole, inputs, tmp_path, state):
    prepare(tmp_path)
    process = start(tmp_path, inputs)
    wait_for(tmp_path, f".resume/adain_train-*/{state}", process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / "training").exists()
    finish(start(tmp_path, inputs))
    assert decoders(tmp_path) == decoders(whole)
    assert (tmp_path / "training/history.csv").read_bytes() == (whole / "training/history.csv").read_bytes()


def test_only_the_first_process_writes(inputs, tmp_path, monkeypatch, capfd):
    """The second process of a team that needs no other: what it would write beside the first one's files."""

    @contextmanager
    def second(device):
        yield Processes(1, 1, device)

    monkeypatch.setattr(launch, "processes", second)
    monkeypatch.setenv("RANK", "1")
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path, max_iter=6)
    adain = load_params(tmp_path / "params.yaml").adain
    launch.train_decoder(adain, "cpu", "float32", *inputs, tmp_path / "training")
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_changed_parameters_start_anew(inputs, tmp_path):
    prepare(tmp_path)
    process = start(tmp_path, inputs)
    wait_for(tmp_path, ".resume/adain_train-*/state-*", process)
    process.kill()
    process.communicate()
    (stale,) = tmp_path.glob(".resume/adain_train-*")
    prepare(tmp_path, learning_rate=2e-3)
    process = start(tmp_path, inputs)
    wait_for(tmp_path, ".resume/adain_train-*/state-000000004*", process)
    assert not stale.exists()
    process.kill()
    process.communicate()


def history(folder):
    with (folder / "training/history.csv").open() as file:
        return [[float(row["content_loss"]), float(row["style_loss"])] for row in csv.DictReader(file)]


@pytest.mark.slow
def test_two_processes_begin_as_one_does(inputs, whole, tmp_path):
    """At the default learning rate: the first nine steps are the same, before rounding errors have grown."""
    prepare(tmp_path, {"processes": 2})
    error = finish(start(tmp_path, inputs))
    assert "Warning" not in error
    one, two = (torch.tensor(history(folder))[:3] for folder in (whole, tmp_path))
    torch.testing.assert_close(two, one, rtol=1e-4, atol=0)


@pytest.mark.slow
def test_two_processes_reach_the_losses_of_one(inputs, tmp_path):
    # A small learning rate: Adam turns rounding errors of tiny gradients into whole steps, and they grow.
    settings = {"max_iter": 50, "log_every": 1, "learning_rate": 3e-6, "warmup": 20, "average": 0.0}
    folders = [tmp_path / "one", tmp_path / "two"]
    for count, folder in enumerate(folders, 1):
        folder.mkdir()
        prepare(folder, {"processes": count, "save_every": 1000}, **settings)
        finish(start(folder, inputs))
    one, two = (torch.tensor(history(folder)) for folder in folders)
    assert one.shape == (50, 2)
    torch.testing.assert_close(two, one, rtol=1e-4, atol=0)
    first, last, other = (
        torch.cat([value.flatten() for _, value in sorted(load_file(path).items())])
        for path in (
            folders[0] / "training/milestone_10.safetensors",
            *(folder / "training/milestone_100.safetensors" for folder in folders),
        )
    )
    assert (other - last).norm() < 0.1 * (last - first).norm()  # what they learnt is the same, too


@pytest.mark.slow
def test_a_killed_process_ends_the_run_and_any_number_goes_on(inputs, tmp_path):
    prepare(tmp_path, {"processes": 2}, max_iter=2000)
    launcher = start(tmp_path, inputs)
    wait_for(tmp_path, ".resume/adain_train-*/state-000000008*", launcher)
    os.kill(ranks(launcher)[-1], signal.SIGKILL)
    error = launcher.communicate(timeout=200)[1]
    assert launcher.returncode == 1
    assert [line for line in error.splitlines() if "training the decoder" not in line][1:] == [
        "adain_train: error: training process 1 of 2 was killed (SIGKILL), perhaps for lack of memory; run the same "
        "command again: the training goes on from its last saved state, with any number of processes"
    ]  # after the warning of too few iterations
    process = goes_on(inputs, tmp_path, 1)
    process.kill()
    process.communicate()
    launcher = goes_on(inputs, tmp_path, 2)
    orphans = ranks(launcher)
    launcher.kill()
    launcher.wait()
    end = time.monotonic() + 30
    while not all(map(ended, orphans)):  # none trains on unseen
        assert time.monotonic() < end
        time.sleep(0.05)
    launcher.communicate()


def goes_on(inputs, folder, count):
    """A run of ``count`` processes that has gone on from the newest saved state to a later one of its own."""
    prepare(folder, {"processes": count, "save_every": 16}, max_iter=2000)
    (states,) = folder.glob(".resume/adain_train-*")
    newest = max(states.glob("state-*"))
    written = newest.stat().st_ino, newest.stat().st_mtime_ns
    following = f"state-{int(newest.name.split('-')[1]) // 16 * 16 + 16:09d}-*"
    process = start(folder, inputs)
    wait_for(states, following, process)
    assert (newest.stat().st_ino, newest.stat().st_mtime_ns) == written  # it did not begin anew
    load_file(max(states.glob(following)))
    return process


@pytest.mark.slow
def test_what_all_processes_stumble_over_is_told_once(inputs, tmp_path):
    prepare(tmp_path, {"processes": 2})
    launcher = start(tmp_path, ["nothing", *inputs[1:]])
    error = launcher.communicate(timeout=200)[1]
    assert launcher.returncode == 1
    assert error.splitlines()[1:] == [
        "adain_train: error: nothing: No such file or directory",
        "adain_train: error: training process 0 of 2 failed; its own line says why",
    ]  # after the warning of too few iterations


def ranks(launcher):
    """Ids of the processes that ``launcher`` started, by rank."""
    children = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split()
    return sorted(int(child) for child in children)
