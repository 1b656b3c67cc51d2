"""Kill -9 through `dvc repro`, at random moments of a stage's own work; what the next `dvc repro` makes is compared."""

import contextlib
import math
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from tests import faulty_images, quick
from tests.faults.harness import FULL, Job, assert_right, assert_whole, hashes

TIMES = 20 if FULL else 1
PATIENCE = 120.0  # seconds per kill: a kill that comes too late costs a run, and the test goes on without the rest
PAINTINGS = 1500  # more than one shard of a pool holds


def give_paintings(tree: Path, folder: Path) -> None:
    """Let `tree` train on small pictures in `folder`: so many that packing them takes longer than starting to."""
    folder.mkdir()
    for number in range(PAINTINGS):
        faulty_images.photo(number, size=(72, 64)).save(folder / f"{number}.jpg")
    quick.override(tree / "params.yaml", {"adain.train.style": str(folder)})
    quick.dvc(tree, "repro", "fetch_style")


def assert_killed_stage_is_made_again(tree: Path, job: Job) -> None:
    """Kill the stage `TIMES` times, now and then thrice in a row: `dvc repro` then makes what an undisturbed one does.

    The moments are drawn, by the stage's name, from the time that its work took: none is lost on `import torch`.
    """
    work = kill(tree, job)
    right = {name: hashes(tree / name) for name in job.outputs}
    draw = random.Random(job.name)
    landed, deadline = 0, time.monotonic() + PATIENCE * TIMES
    while landed < TIMES and time.monotonic() < deadline:
        for earlier in range(draw.choice((1, 1, 1, 3))):
            if not (whole := kill(tree, job, draw.uniform(0, work))):
                landed += 1
                assert_whole(tree, right)
            elif not earlier:  # too late: what was measured took longer than now; a run that goes on takes less anyway
                work = whole
        assert set(stages_run(quick.dvc(tree, "repro", job.name))) <= {job.name}
        assert_right(tree, right)
    assert landed, f"{job.name}: no kill came before the stage's end"


def kill(tree: Path, job: Job, moment: float = math.inf) -> float:
    """Run the stage with `dvc repro`, and kill both `moment` seconds after its work began; by default let them end.

    Returns the seconds from that beginning until all outputs were there; 0 if it was killed before.
    """
    forget(tree, job)
    before, began = traces(tree, job), math.inf
    command = [sys.executable, "-m", "dvc", "repro", "--single-item", job.name]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        process = subprocess.Popen(
            command, cwd=tree, env=quick.environment(tree), stdout=said, stderr=said, start_new_session=True
        )
        while process.poll() is None and not all((tree / name).exists() for name in job.outputs):
            if began == math.inf and traces(tree, job) - before:
                began = time.monotonic()
            if time.monotonic() - began >= moment:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                return 0.0
            time.sleep(0.01)
        seconds = time.monotonic() - began
        process.wait()
        said.seek(0)
        assert process.returncode == 0, said.read()
    assert seconds > 0, f"{job.name} left no trace of its beginning"
    return seconds


def traces(tree: Path, job: Job) -> set[Path]:
    """What a stage leaves on disk as soon as its imports are done: TensorBoard's files, a state, a temporary output."""
    places = [(tree, "runs/**/events*"), (tree, ".resume/[!.]*/*")]
    places += [((tree / name).parent, ".*-*-*") for name in job.outputs]
    found: set[Path] = set()
    for folder, pattern in places:
        with contextlib.suppress(FileNotFoundError):  # a folder that the stage removed while it was searched
            found.update(folder.glob(pattern))
    return found


def forget(tree: Path, job: Job) -> None:
    """Make DVC forget that the stage ever ran: its outputs, its entry in dvc.lock, the memory of past runs."""
    for output in job.outputs:
        path = tree / output
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    shutil.rmtree(tree / ".dvc/cache/runs", ignore_errors=True)
    lock = yaml.safe_load((tree / "dvc.lock").read_text(encoding="utf-8"))
    lock["stages"].pop(job.name, None)
    (tree / "dvc.lock").write_text(yaml.safe_dump(lock, allow_unicode=True), encoding="utf-8")


def stages_run(said: str) -> list[str]:
    """The stages that `dvc repro` says it ran."""
    return re.findall(r"Running stage '([^']+)'", said)
