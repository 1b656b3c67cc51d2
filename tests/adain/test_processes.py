"""The launcher of several processes: one line whatever ends one of them, and none of them outlives it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from nnlab.adain.processes import check_gpus, usable_cores
from nnlab.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
# Its processes do not import torch: they tell what they got, and the second one ends as it is told.
SCRIPT = """
import os, signal, sys, time
def main(end: str) -> None:
    if "RANK" not in os.environ:
        from nnlab.adain.processes import start
        return start(2)
    rank = int(os.environ["RANK"])
    told = f"{rank} {os.environ['WORLD_SIZE']} {os.environ['OMP_NUM_THREADS']} {os.getpid()}\\n"
    os.write(1, told.encode())  # in one piece: both write
    if end == "well":
        return
    if rank == 1 and end == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if rank == 1 and end == "failed":
        from nnlab.errors import UserError
        raise UserError("some reason")
    time.sleep(60)
from nnlab import stage
stage.run(main)
"""


def launch(folder: Path, end: str, **environment: str) -> subprocess.Popen:
    (folder / "script.py").write_text(SCRIPT)
    whole = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **environment}
    return subprocess.Popen([sys.executable, "script.py", end], cwd=folder, env=whole, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip


def ended(pid: int) -> bool:
    """Whether the process is gone, or only waits for its parent to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_each_process_gets_its_share_of_the_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    said, error = launch(tmp_path, "well").communicate(timeout=100)
    assert error == ""
    share = str(max(1, usable_cores() // 2))
    assert sorted(line.split()[:3] for line in said.splitlines()) == [["0", "2", share], ["1", "2", share]]


@pytest.mark.parametrize(
    ("end", "lines"),
    [
        ("failed", ["some reason", "training process 1 of 2 failed; its own line says why"]),
        (
            "killed",
            [
                "training process 1 of 2 was killed (SIGKILL), perhaps for lack of memory; run the same command again: "
                "the training goes on from its last saved state, with any number of processes"
            ],
        ),
    ],
)
def test_a_process_that_ends_early_ends_the_others_with_one_line(tmp_path: Path, end: str, lines: list[str]) -> None:
    launcher = launch(tmp_path, end, OMP_NUM_THREADS="7")
    said, error = launcher.communicate(timeout=100)
    assert launcher.returncode == 1
    assert error.splitlines() == [f"script: error: {line}" for line in lines]
    ranks = [line.split() for line in said.splitlines()]
    assert [rank[2] for rank in ranks] == ["7", "7"]  # as the user has set it
    assert all(ended(int(rank[3])) for rank in ranks)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_launcher_that_is_ended_ends_its_processes(tmp_path: Path, number: int) -> None:
    launcher = launch(tmp_path, "never")
    assert launcher.stdout is not None
    ranks = [int(launcher.stdout.readline().split()[3]) for _ in range(2)]
    launcher.send_signal(number)
    assert launcher.communicate(timeout=100)[1] == "script: error: interrupted; run the same command again to go on\n"
    assert launcher.returncode == 130
    assert all(ended(rank) for rank in ranks)


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    check_gpus(2)
    with pytest.raises(UserError, match=r"adain\.run\.processes = 3: this machine has 2 GPU"):
        check_gpus(3)
