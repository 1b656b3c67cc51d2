"""A whole job: files, figures, metrics; killed at a random moment; pictures of any kind."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nnlab.errors import UserError
from nnlab.gatys import figures, finished
from nnlab.gatys.results import stylize
from nnlab.params import JobParams
from tests.gatys.conftest import make_job, picture

ROOT = Path(__file__).resolve().parents[2]
FULL = os.environ.get("NNLAB_FAULTS") == "full"

SCRIPT = """
import json, sys, torch
from pathlib import Path
from nnlab.params import JobParams
from nnlab.gatys.results import stylize
torch.set_num_threads(1)
vgg, folder, out = map(Path, sys.argv[1:4])
job = JobParams(**json.loads(sys.argv[4]))
stylize("main", job, vgg, folder / "content.png", folder / "style.png", out, torch.device("cpu"), torch.bfloat16)
"""


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two pictures; it is also where the process stands, for .resume, runs and metrics."""
    picture(120, 90, 0).save(tmp_path / "content.png")
    picture(90, 120, 1).save(tmp_path / "style.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(weights: Path, pair: Path, job: JobParams, out: str = "out") -> Path:
    files = pair / "content.png", pair / "style.png"
    stylize("main", job, weights, *files, pair / out, torch.device("cpu"), torch.float32)
    return pair / out


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_job_writes_its_files_and_figures(weights: Path, pair: Path) -> None:
    job = make_job(coarse_iterations=[2], iterations=5)
    out = run(weights, pair, job, "results/main")
    assert {path.name for path in out.iterdir()} == {
        *(f"snapshot_000{i}.png" for i in (2, 4, 5)),
        *("content.png", "style.png", "result.png", "losses.csv", "info.json"),
    }
    assert Image.open(out / "result.png").size == (64, 48)
    assert (out / "result.png").read_bytes() == (out / "snapshot_0005.png").read_bytes()
    header, *rows = (out / "losses.csv").read_text().splitlines()
    assert header == "iteration,total,content.block2_conv1,style.block1_conv1,style.block2_conv1"
    assert [int(row.split(",")[0]) for row in rows] == list(range(6))
    info = json.loads((out / "info.json").read_text())
    assert info["total_loss"] == pytest.approx(info["content_loss"] + info["style_loss"], rel=1e-4)
    assert "gatys.main.seconds_per_iteration" in json.loads(Path("metrics/timings.json").read_text())
    assert not list(Path(".resume").glob("gatys-*"))
    assert list(Path("runs/gatys-main").iterdir())

    (pair / "provenance.json").write_text(json.dumps({"name": "pair", "stand_in": True, "note": "STAND-IN: blocks"}))
    job = job.model_copy(update={"content": str(pair / "content.png")})
    result = finished.read_result("main", job, out, pair / "provenance.json")
    figures.draw([result], pair / "plots")
    names = {f"main_{name}" for name in ("losses.csv", "losses.png", "snapshots.png", "result.png")}
    assert {path.name for path in (pair / "plots").iterdir()} == {*names, "layers.png"}
    assert finished.metrics([result])["main"] == {**info, "stand_in": "STAND-IN: blocks"}


def test_the_same_job_gives_the_same_bytes(weights: Path, pair: Path) -> None:
    job = make_job(iterations=3)
    assert content_of(run(weights, pair, job, "one")) == content_of(run(weights, pair, job, "two"))


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.parametrize("seed", range(8 if FULL else 1))
def test_killed_at_a_random_moment_it_ends_with_the_same_bytes(weights: Path, pair: Path, seed: int) -> None:
    moments = random.Random(seed)
    job = make_job(size=96, coarse_iterations=[10], iterations=40, snapshot_every=3)

    def start(out: str) -> subprocess.Popen:
        command = [sys.executable, "-c", SCRIPT, weights, pair, out, job.model_dump_json()]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        return subprocess.Popen(command, cwd=pair, env=environment, stderr=subprocess.DEVNULL)

    def killed_after_a_state(wait: float) -> bool:
        shutil.rmtree(pair / "killed", ignore_errors=True)  # as DVC does with the outs of a stage before it runs again
        process = start("killed")
        deadline = time.monotonic() + 120
        while process.poll() is None and not list(pair.glob(".resume/*/state-*")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(moments.uniform(0, wait))
        process.kill()
        return process.wait() == -signal.SIGKILL

    # On a fast machine it may end sooner: then again, with less patience.
    assert any(killed_after_a_state(0.5 / tries) for tries in range(1, 10)), "it always ended before it was killed"
    assert list(pair.glob(".resume/*/state-*"))
    shutil.rmtree(pair / "killed", ignore_errors=True)
    assert start("killed").wait(timeout=120) == 0
    assert start("undisturbed").wait(timeout=120) == 0
    assert content_of(pair / "killed") == content_of(pair / "undisturbed")


def test_a_state_of_other_settings_is_never_used(weights: Path, pair: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = content_of(run(weights, pair, make_job(iterations=4, style_weight=3.0), "expected"))
    with monkeypatch.context() as patch:
        patch.setattr("nnlab.gatys.results._write", lambda *arguments: sys.exit("killed"))
        with pytest.raises(SystemExit, match="killed"):
            run(weights, pair, make_job(iterations=4), "other")
    assert list(Path(".resume").glob("*/*.safetensors"))
    assert content_of(run(weights, pair, make_job(iterations=4, style_weight=3.0), "found")) == expected
    assert not list(Path(".resume").glob("gatys-*"))


def odd_picture(kind: str, path: Path) -> Path:
    base = picture(70, 50, 3)
    if kind == "1x1":
        base.crop((0, 0, 1, 1)).save(path)
    elif kind == "16-bit":
        Image.fromarray(np.asarray(base.convert("L")).astype(np.uint16) * 257).save(path)
    elif kind == "cmyk":
        path = path.with_suffix(".jpg")
        base.convert("CMYK").save(path)
    elif kind == "rotated":
        path = path.with_suffix(".jpg")
        exif = Image.Exif()
        exif[0x0112] = 6
        base.save(path, exif=exif)
    else:
        base.convert({"alpha": "RGBA", "palette": "P", "grey": "L"}[kind]).save(path)
    return path


@pytest.mark.parametrize("kind", ["1x1", "16-bit", "cmyk", "rotated", "alpha", "palette", "grey"])
def test_pictures_of_any_kind_are_converted(weights: Path, pair: Path, kind: str) -> None:
    path = odd_picture(kind, pair / "odd.png")
    files = path, pair / "style.png"
    stylize("main", make_job(iterations=1), weights, *files, pair / "out", torch.device("cpu"), torch.float32)
    sizes = {"1x1": (64, 64), "rotated": (46, 64)}
    assert Image.open(pair / "out/result.png").size == sizes.get(kind, (64, 46))


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "cut", "thin"])
@pytest.mark.parametrize("role", ["content", "style"])
def test_pictures_that_cannot_be_used_are_named(weights: Path, pair: Path, kind: str, role: str) -> None:
    path = pair / f"{role}.png"
    whole = path.read_bytes()
    path.unlink()
    if kind == "thin":
        picture(900, 1, 0).save(path)
    elif kind != "missing":
        path.write_bytes({"empty": b"", "text": b"hello", "cut": whole[: len(whole) // 2]}[kind])
    with pytest.raises(UserError, match=rf"{role}\.png") as error:
        run(weights, pair, make_job(style_layers=["block4_conv1"], iterations=1))
    assert "\n" not in str(error.value)
    assert not (pair / "out").exists()
