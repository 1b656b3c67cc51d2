import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from nnlab.adain.paint import fields, filters, studio
from nnlab.adain.paint.brush import Brush, Canvas
from nnlab.adain.paint.colour import (
    BAND_SIGMAS,
    band_energy,
    bands,
    match_bands,
    palettes,
    recolour,
    to_lab,
    to_rgb,
)
from nnlab.adain.paint.scenes import Album
from nnlab.data.images import read_image
from nnlab.data.samples import PHOTOS, fetch_samples

SIZE = 64


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw") / "samples"
    fetch_samples(folder)
    return folder / PHOTOS


@pytest.fixture(scope="module")
def album(photos):
    return Album(photos)


def random_picture(seed=0, shape=(40, 60)):
    return np.random.default_rng(seed).random((*shape, 3), dtype=np.float32)


def test_lab_is_that_of_scikit_image():
    from skimage.color import rgb2lab

    rgb = random_picture()
    assert np.abs(to_lab(rgb) - rgb2lab(rgb)).max() < 1e-3
    assert np.abs(to_rgb(to_lab(rgb)) - rgb).max() < 1e-4


def test_palettes_are_numbers_of_many_paintings():
    assert len(palettes()) >= 300
    for palette in palettes():
        assert palette.weights.sum() == pytest.approx(1)
        assert palette.colours.shape == (16, 3)
        assert palette.bands.shape == (2, len(BAND_SIGMAS))


def test_recolour_reaches_the_palette():
    palette = palettes()[5]
    lab = to_lab(recolour(random_picture(), palette, np.random.default_rng(0)))
    target = palette.sample(20_000, np.random.default_rng(1))
    target = to_lab(to_rgb(target[None]))[0]  # a few colours of the mixture lie outside of sRGB
    assert np.abs(lab.mean(axis=(0, 1)) - target.mean(axis=0)).max() < 3
    assert np.abs(lab.std(axis=(0, 1)) - target.std(axis=0)).max() < 4


def test_recolour_with_strength_0_changes_nothing():
    rgb = random_picture()
    assert np.abs(recolour(rgb, palettes()[0], np.random.default_rng(0), strength=0) - rgb).max() < 1e-3


def test_bands_add_up_and_are_matched():
    rgb = fields.blur(random_picture(shape=(256, 256)), 1.5)
    lab = to_lab(rgb)
    assert np.abs(sum(bands(lab)) - lab).max() < 1e-3
    palette = palettes()[3]
    far = np.abs(np.log(band_energy(bands(lab)) / palette.bands)).mean()
    near = np.abs(np.log(band_energy(bands(to_lab(match_bands(rgb, palette, 1.0)))) / palette.bands)).mean()
    assert near < far
    assert np.abs(match_bands(rgb, palette, 0.0) - rgb).max() < 1e-3


def test_flow_follows_stripes():
    x = np.arange(64, dtype=np.float32)
    stripes = np.broadcast_to((0.5 + 0.5 * np.sin(x / 3))[None, :, None], (64, 64, 3)).astype(np.float32)
    assert np.abs(np.sin(fields.flow(stripes, 3))[8:-8, 8:-8]).min() > 0.99  # vertical: along the stripes


def test_noise_is_normalised():
    field = fields.noise((50, 70), 12, np.random.default_rng(0), octaves=3)
    assert field.shape == (50, 70)
    assert abs(field.mean()) < 1e-4
    assert field.std() == pytest.approx(1, abs=1e-3)


def test_kuwahara_keeps_an_edge_and_removes_grain():
    rng = np.random.default_rng(0)
    step = np.where(np.arange(60)[None, :, None] < 30, 0.2, 0.8) * np.ones((40, 1, 3))
    smooth = filters.kuwahara((step + rng.normal(scale=0.05, size=step.shape)).astype(np.float32), 4)
    assert smooth[:, 5:25].std() < 0.02
    assert smooth[:, 32].mean() - smooth[:, 27].mean() > 0.5


def test_region_means():
    rgb = np.zeros((2, 2, 3), dtype=np.float32)
    rgb[0] = 1
    assert filters.region_means(rgb, np.array([[0, 0], [0, 1]]))[:, 0].tolist() == pytest.approx([2 / 3, 0])


def test_strokes_bring_the_canvas_to_the_picture():
    target = fields.blur(random_picture(shape=(64, 64)), 6)
    target = (target - target.min()) / np.ptp(target)
    work = Canvas(np.zeros_like(target))
    work.paint(target, fields.flow(target, 3), Brush(3, jitter=0.0), np.random.default_rng(0))
    assert np.abs(work.picture() - target).mean() < 0.1


def test_plan_has_every_manner_and_spreads_palettes():
    jobs = studio.plan(400, 1)
    counts = Counter(job.manner for job in jobs)
    assert len(counts) >= 10
    for name, manner in studio.MANNERS.items():
        share = 400 * manner.share / sum(m.share for m in studio.MANNERS.values())
        assert abs(counts[name] - share) <= 1.5
    assert max(Counter(job.palette for job in jobs).values()) <= 3
    assert len({job.manner for job in studio.plan(len(studio.MANNERS), 1)}) == len(studio.MANNERS)
    assert studio.plan(400, 1) != studio.plan(400, 2)


@pytest.mark.parametrize("manner", studio.MANNERS)
def test_manner_paints_a_picture(manner, album):
    picture = studio.paint(studio.Job(3, manner, 7), album, SIZE, seed=1)
    assert min(picture.shape[:2]) == SIZE
    assert np.isfinite(picture).all()
    assert picture.min() >= 0
    assert picture.max() <= 1
    assert picture.std() > 0.02


def test_files_depend_on_the_seed_alone(photos, album, tmp_path):
    done = []
    files = studio.paint_all(photos, tmp_path, 3, SIZE, 5, lambda: done.append(1))
    assert len(files) == len(done) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(files)
    job = studio.plan(3, 5)[2]
    alone = (studio.paint(job, album, SIZE, 5) * 255).round()
    stored = np.asarray(read_image(tmp_path / job.file), dtype=np.float32)
    assert np.abs(alone - stored).mean() < 8  # JPEG
    again = tmp_path / "again"
    again.mkdir()
    assert studio.paint_all(photos, again, 3, SIZE, 5, lambda: None) == files
    assert studio.paint_all(photos, again, 1, SIZE, 6, lambda: None).items().isdisjoint(files.items())


PAINT = """
import sys
from pathlib import Path
from nnlab.adain.paint.studio import paint_all
paint_all(Path(sys.argv[1]), Path(sys.argv[2]), 1000, 64, 1, lambda: print("painted", flush=True))
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at /proc")
def test_workers_end_with_a_process_that_is_killed(photos, tmp_path) -> None:
    studio_process = subprocess.Popen(
        [sys.executable, "-c", PAINT, str(photos), str(tmp_path)], stdout=subprocess.PIPE, start_new_session=True
    )
    assert studio_process.stdout is not None
    studio_process.stdout.readline()
    assert len(members(studio_process.pid)) > 1
    studio_process.kill()
    studio_process.wait()
    deadline = time.monotonic() + 20
    try:
        while members(studio_process.pid):
            assert time.monotonic() < deadline, "workers of a killed process wait for work"
            time.sleep(0.05)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(studio_process.pid, signal.SIGKILL)
        studio_process.stdout.close()


def members(session: int) -> list[int]:
    """The living processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _parent, _group, of = path.read_bytes().rpartition(b")")[2].split()[:4]
            if int(of) == session and state != b"Z":
                found.append(int(path.parent.name))
    return found
