"""Seeds, device, precision, tensors on disk, resume folders."""

import json
import os
import pickle
import random
from pathlib import Path

import pytest
import torch

from nnlab.errors import UserError
from nnlab.training import device
from nnlab.training.device import pick_device, pick_precision
from nnlab.training.seeds import generator, initial_weights
from nnlab.training.state import load_tensors, save_tensors
from nnlab.training.tensorboard import log_writer

ROOT = Path(__file__).resolve().parents[2]
CPU = torch.device("cpu")
TENSORS = {"w": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([1, 2], dtype=torch.int64)}


def test_a_generator_is_a_function_of_seed_and_stream() -> None:
    def draw(*key: int | str) -> float:
        return torch.rand(1, generator=generator(*key)).item()  # type: ignore[arg-type]

    assert draw(1, "batch", 5) == draw(1, "batch", 5)
    values = [draw(1), draw(2), draw(1, "batch"), draw(1, "noise"), draw(1, "batch", 1), draw(1, "batch", 11),
              draw(11, "batch"), draw(1, 1), draw(1, "1"), draw(2**63, "batch"), draw(-1)]  # fmt: skip
    assert len(set(values)) == len(values)


def test_a_generator_neither_reads_nor_moves_the_global_state() -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    generator(1, "x")
    assert torch.rand(1) == expected


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
    monkeypatch.setattr(device, "_cpu_flags", lambda: {"avx2", "avx512_bf16"})
    assert pick_precision("auto", CPU) == torch.bfloat16
    monkeypatch.setattr(device, "_cpu_flags", lambda: {"avx2", "avx512f"})
    assert pick_precision("auto", CPU) == torch.float32


def test_autocast_changes_the_type_only_where_asked() -> None:
    layer = torch.nn.Linear(2, 2)
    for precision in (torch.float32, torch.bfloat16):
        with device.autocast(CPU, precision):
            assert layer(torch.ones(1, 2)).dtype == precision


def test_new_layers_draw_from_the_seed_and_leave_the_global_generator_alone() -> None:
    def layer(seed: int) -> torch.Tensor:
        with initial_weights(seed):
            return torch.nn.Linear(4, 4).weight

    torch.manual_seed(1)
    first, before = layer(7), torch.get_rng_state()
    torch.manual_seed(2)
    again, other = layer(7), layer(8)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    torch.manual_seed(1)
    assert torch.equal(before, torch.get_rng_state())


def test_only_trainable_scalars_count() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 1))
    assert device.count_parameters(model) == 3 * 4 + 4 + 4 + 1
    model[0].requires_grad_(False)
    assert device.count_parameters(model) == 5


def test_tensors_come_back_as_they_went(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.safetensors"
    save_tensors(path, {**TENSORS, "t": torch.arange(6).reshape(2, 3).T}, {"step": "7"})
    tensors, metadata = load_tensors(path)
    assert metadata == {"step": "7"}
    assert torch.equal(tensors["w"], TENSORS["w"])
    assert torch.equal(tensors["t"], torch.tensor([[0, 3], [1, 4], [2, 5]]))
    assert [p.name for p in path.parent.iterdir()] == ["a.safetensors"]


def test_the_same_tensors_make_the_same_bytes(tmp_path: Path) -> None:
    metadata = {"b": "1", "a": 'quote " and \n line', "名": "值 \x07", "c": "", "d": "é" * 50}
    save_tensors(tmp_path / "a", TENSORS, metadata)
    save_tensors(tmp_path / "b", dict(reversed(TENSORS.items())), dict(reversed(metadata.items())))
    written = (tmp_path / "a").read_bytes()
    assert (tmp_path / "b").read_bytes() == written
    header = json.loads(written[8 : 8 + int.from_bytes(written[:8], "little")])
    assert list(header["__metadata__"]) == sorted(metadata)  # two processes agree: sorted by us, not by chance
    assert load_tensors(tmp_path / "a")[1] == metadata


def test_a_file_that_was_cut_anywhere_is_a_users_error(tmp_path: Path) -> None:
    save_tensors(tmp_path / "whole", TENSORS, {"step": "7"})
    whole = (tmp_path / "whole").read_bytes()
    for length in [0, 1, 7, 8, 9, *random.Random(1).sample(range(10, len(whole)), 30), len(whole) - 1]:
        (tmp_path / "cut").write_bytes(whole[:length])
        with pytest.raises(UserError, match="cut: not a whole safetensors file"):
            load_tensors(tmp_path / "cut")


class Evil:
    """Unpickling this makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("content", ["pickle", "torch", "text", "picture"])
def test_foreign_files_are_refused_and_nothing_of_them_runs(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.safetensors"
    evil = Evil(tmp_path / "owned")
    if content == "pickle":
        path.write_bytes(pickle.dumps(evil))
    elif content == "torch":
        torch.save({"w": evil}, path)
    else:
        path.write_bytes(b"\x89PNG" + bytes(500) if content == "picture" else b"hello" * 100)
    with pytest.raises(UserError, match="not a whole safetensors file"):
        load_tensors(path)
    assert not (tmp_path / "owned").exists()


def test_a_missing_file_or_a_folder_is_an_error_for_the_user(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not found; run `dvc repro`"):
        load_tensors(tmp_path / "none")
    with pytest.raises((UserError, OSError)):
        load_tensors(tmp_path)


def test_a_log_folder_shows_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        with log_writer("job") as writer:
            writer.add_scalar("loss", 1.0, 0)
    assert len(list(Path("runs/job").iterdir())) == 1
    assert json.dumps([str(p) for p in Path(".").iterdir()]) == '["runs"]'
