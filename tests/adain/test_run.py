"""The stage adain_train as a command: what it writes and refuses, in two processes."""

import socket
import subprocess
import sys

import pandas as pd
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from nnlab import stage
from nnlab.adain import run
from nnlab.adain.data import sample_crops
from nnlab.adain.weights import save_encoder
from nnlab.errors import UserError
from nnlab.training.processes import processes
from nnlab.training.state import load_tensors
from nnlab.vgg.weights import read_weights
from stages import adain_train
from tests.adain.training import SMALL, make_held_out, make_pools, write_params
from tests.quick import ROOT, environment

QUICK = {f"train.{key}": value for key, value in {**SMALL, "start": "random"}.items()}
QUICK |= {"run.save_every": 4, "run.workers": 0, "evaluate.content_side": 32, "evaluate.style_side": 32}
QUICK |= {"pictures.photos": [], "pictures.photos_style": "pair", "pictures.alpha_style": "pair"}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory, weight_files):
    """Encoder, photos, paintings, gallery."""
    folder = tmp_path_factory.mktemp("inputs")
    make_held_out(folder / "pictures")
    save_encoder(read_weights(weight_files[0]), folder / "encoder.safetensors", {})
    return [str(path) for path in (folder / "encoder.safetensors", *make_pools(folder), folder / "pictures")]


def start(folder, inputs, **variables):
    """Start adain_train in `folder`, which has a params.yaml."""
    variables = {**environment(ROOT), **variables}
    command = [sys.executable, str(ROOT / "stages/adain_train.py"), *inputs, "trained"]
    return subprocess.Popen(command, cwd=folder, env=variables, stderr=subprocess.PIPE, text=True)


def finish(process):
    error = process.communicate(timeout=600)[1]
    assert process.returncode == 0, error


def curves(folder):
    return torch.tensor(pd.read_csv(folder / "trained/curves.csv")[["content_loss", "style_loss"]].to_numpy())


@pytest.fixture(scope="module")
def whole(inputs, tmp_path_factory):
    """The folder of an undisturbed run."""
    folder = tmp_path_factory.mktemp("whole")
    write_params(folder, **QUICK)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert stage.call(adain_train.main, [*inputs, "trained"]) == 0
    return folder


@pytest.mark.slow
def test_a_training_leaves_curves_checkpoints_and_tensorboard(whole, inputs):
    assert {path.name for path in whole.iterdir()} == {"params.yaml", "trained", "runs", ".resume"}
    decoders = [f"decoder_{percent}.safetensors" for percent in (10, 50, 80, 100)]
    assert {path.name for path in (whole / "trained").iterdir()} == {*decoders, "encoder.safetensors", "curves.csv"}
    assert (whole / "trained/encoder.safetensors").read_bytes() == (whole / inputs[0]).read_bytes()
    assert not list(whole.glob(".resume/adain_train-*"))
    table = pd.read_csv(whole / "trained/curves.csv")
    assert list(table) == ["iteration", "content_loss", "style_loss", "learning_rate"]
    assert table.iteration.tolist() == [3, 6, 9, 12]
    for iteration, percent, name in zip((2, 6, 10, 12), (10, 50, 80, 100), decoders):
        assert load_tensors(whole / "trained" / name)[1] == {"iteration": str(iteration), "percent": str(percent)}
    events = EventAccumulator(str(whole / "runs/adain")).Reload()
    assert set(events.Tags()["scalars"]) == {"content_loss", "style_loss", "learning_rate"}
    assert [event.step for event in events.Scalars("style_loss")] == [3, 6, 9, 12]
    assert events.Tags()["images"] == ["content, style, result"]
    assert events.Images("content, style, result")[-1].step == 12


@pytest.mark.slow
@pytest.mark.parametrize("machines", [1, 2])
def test_two_processes_reach_the_losses_of_one(whole, inputs, tmp_path, machines):
    """Within rounding, while that has not grown: the first half of the rows. Both machines are this one."""
    write_params(tmp_path, **QUICK)
    nodes = [{"PET_NPROC_PER_NODE": "2"}]
    if machines == 2:
        with socket.create_server(("127.0.0.1", 0)) as free:
            common = {"PET_NNODES": "2", "PET_MASTER_ADDR": "127.0.0.1", "PET_MASTER_PORT": str(free.getsockname()[1])}
        nodes = [{**common, "PET_NODE_RANK": rank} for rank in "01"]
    for process in [start(tmp_path, inputs, **variables) for variables in nodes]:
        finish(process)
    one, two = curves(whole), curves(tmp_path)
    torch.testing.assert_close(two[:2], one[:2], rtol=1e-3, atol=0)
    torch.testing.assert_close(two, one, rtol=0.05, atol=0)


def test_an_error_of_a_process_is_its_line_without_torchruns_traceback(inputs, tmp_path):
    write_params(tmp_path, **QUICK)
    process = start(tmp_path, ["nothing", *inputs[1:]], PET_NPROC_PER_NODE="1")
    said = process.communicate(timeout=600)[1]
    assert process.returncode == 1
    assert "adain_train: error: nothing: No such file" in said
    assert "Traceback" not in said


@pytest.fixture
def call(workdir, monkeypatch, capfd):
    """`call(*inputs)` runs the stage in a folder of its own: exit code and the last line of what it said."""
    monkeypatch.setattr(sys, "argv", ["adain_train.py"])

    def go(*inputs):
        code = stage.call(adain_train.main, [*inputs, "trained"])
        return code, capfd.readouterr().err.strip().split("\n")[-1]

    return go


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("train.checkpoint_fractions", [0.25, 0.5], "must be whole percents that rise to 1.0, the last one"),
        ("train.sides", [160, 96], "crop = 112 is larger than sides = [160, 96]"),
        *(("alpha", wrong, "adain.alpha") for wrong in ([], [1.5], [0.3, 0.6, 0.3])),
        ("pictures.alpha_style", "no_such_painting", "adain.pictures.alpha_style = 'no_such_painting'"),
    ],
)
def test_wrong_parameters_are_named_before_anything_is_read(call, tmp_path, key, value, words):
    write_params(tmp_path, **{key: value})
    code, said = call(*"abcd")
    assert code == 1
    assert said.startswith("adain_train: error: ")
    assert words in said


@pytest.mark.parametrize("missing", range(4))
def test_missing_inputs_are_named(call, inputs, tmp_path, missing):
    write_params(tmp_path, **QUICK)
    code, said = call(*inputs[:missing], "nothing", *inputs[missing + 1 :])
    assert code == 1
    assert said.startswith("adain_train: error: nothing")


def test_the_closed_form_start_is_ahead_of_a_random_one(call, whole, inputs, tmp_path, monkeypatch):
    """On sixteen small crops: those of a real run take a minute."""
    monkeypatch.setattr(run, "sample_crops", lambda *given: sample_crops(*given, each=8, crop=64))
    write_params(tmp_path, **{**QUICK, "train.start": "closed_form"})
    assert call(*inputs)[0] == 0
    assert (curves(tmp_path)[0] < 0.5 * curves(whole)[0]).all()


def test_more_processes_than_gpus_are_refused(monkeypatch):
    for name, value in {"WORLD_SIZE": "3", "LOCAL_WORLD_SIZE": "3", "LOCAL_RANK": "2", "RANK": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(UserError, match=r"^PET_NPROC_PER_NODE = 3: this machine has 2 GPU"):
        processes(torch.device("cuda")).__enter__()
