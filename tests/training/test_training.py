"""Seeds, device, precision, the folder of TensorBoard, progress."""

from pathlib import Path

import pytest
import torch

from nnlab.errors import UserError
from nnlab.training import device as devices
from nnlab.training.device import agrees_with_cpu, pick_device, pick_precision
from nnlab.training.progress import Progress
from nnlab.training.seeds import generator
from nnlab.training.tensorboard import log_writer

CPU = torch.device("cpu")


def test_a_generator_is_a_function_of_seed_and_stream_and_leaves_the_global_one_alone() -> None:
    before = torch.get_rng_state()

    def draw(*key: int | str) -> float:
        return torch.rand(1, generator=generator(*key)).item()  # type: ignore[arg-type]

    assert draw(1, "batch", 5) == draw(1, "batch", 5)
    values = [draw(1), draw(2), draw(1, "batch"), draw(1, "noise"), draw(1, "batch", 1), draw(1, "batch", 11),
              draw(11, "batch"), draw(1, 1), draw(1, "1"), draw(2**63, "batch"), draw(-1)]  # fmt: skip
    assert len(set(values)) == len(values)
    assert torch.equal(torch.get_rng_state(), before)


def test_devices_that_cannot_be_used_are_refused_in_one_line() -> None:
    assert pick_device("cpu") == CPU
    assert pick_device("auto").type in ("cpu", "cuda")
    for name in ("", "gpu", "cuda:99", "cuda:-1", "meta", "mps:7", "hpu", "xla", "CPU", "cpu:x", "设备"):
        with pytest.raises(UserError, match=r"^device .*; set hardware\.device, or --device .* auto or cpu$") as caught:
            pick_device(name)
        assert "\n" not in str(caught.value)


def test_precision_follows_the_machine_only_when_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pick_precision("float32", CPU) == torch.float32
    assert pick_precision("bfloat16", CPU) == torch.bfloat16
    for flag, expected in (("avx512_bf16", torch.bfloat16), ("amx_bf16", torch.bfloat16), ("avx512_f", torch.float32)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", {"avx2": True, flag: True}.copy)
        assert pick_precision("auto", CPU) == expected


@pytest.mark.usefixtures("workdir")
def test_a_log_folder_shows_one_run() -> None:
    for _ in range(2):
        with log_writer("job") as writer:
            writer.add_scalar("loss", 1.0, 0)
    assert len(list(Path("runs/job").iterdir())) == 1
    assert [path.name for path in Path(".").iterdir()] == ["runs"]


@pytest.mark.parametrize("agrees", [True, False])
def test_apples_gpu_is_taken_if_it_computes_as_the_cpu_does(agrees, monkeypatch, capsys):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(devices, "agrees_with_cpu", lambda device: agrees and device.type == "mps")
    assert pick_device("auto").type == ("mps" if agrees else "cpu")
    assert ("computing on the CPU" in capsys.readouterr().err) == (not agrees)
    assert pick_precision("auto", torch.device("mps")) == torch.float32
    with monkeypatch.context() as several:
        several.setenv("WORLD_SIZE", "2")  # by torchrun: gloo averages no gradients there
        assert pick_device("auto") == CPU
    assert pick_device("cpu") == CPU


def test_a_device_that_lacks_an_operation_or_computes_another_value_does_not_agree(monkeypatch):
    assert agrees_with_cpu(CPU)
    assert not agrees_with_cpu(torch.device("meta"))
    wrong = iter([1.0, 1.1])
    real = torch.nn.functional.max_pool2d
    monkeypatch.setattr(torch.nn.functional, "max_pool2d", lambda x, size: real(x, size) * next(wrong))
    assert not agrees_with_cpu(CPU)


# ---- progress: plain lines in a log, nothing else on standard output ----


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that the test turns: clock[0] is the time in seconds."""
    now = [100.0]
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])
    return now


def test_a_log_gets_a_line_at_the_start_every_ten_seconds_and_at_the_end(clock, capsys):
    with Progress(100, "training") as bar:
        for _ in range(4):
            clock[0] += 5.0
            bar.update(10, loss=0.123456)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "training: 0/100 it, ?it/s, ? left",
        "training: 20/100 it,  2.00it/s, 00:40 left, loss=0.1235",
        "training: 40/100 it,  2.00it/s, 00:30 left, loss=0.1235",
        "training: 40/100 it,  2.00it/s, 00:30 left, loss=0.1235",
    ]


def test_a_resumed_job_counts_its_own_speed(clock, capsys):
    with Progress(100, "training", start=85) as bar:
        clock[0] += 10.0
        bar.update(10)
    assert capsys.readouterr().err.splitlines()[1] == "training: 95/100 it,  1.00it/s, 00:05 left"


def test_a_terminal_gets_a_bar_with_the_named_values(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with Progress(10, "training", start=4) as bar:
        bar.update(6, loss=0.25)
    shown = capsys.readouterr().err
    assert [part for part in ("training", "10/10", "loss=0.25") if part not in shown] == []
