"""Painting: it lowers the loss, follows the job, and goes on after an interruption as if there had been none."""

import math
from pathlib import Path

import pytest
import torch

from nnlab.errors import UserError
from nnlab.gatys.objective import build_objective
from nnlab.gatys.painter import Step, evaluate, measure, paint, plan
from nnlab.gatys.pictures import Pictures, luminance
from nnlab.training.state import Checkpoints
from nnlab.vgg import VGG19
from nnlab.vgg_weights import read_weights
from tests.gatys.conftest import make_job, picture

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    return Pictures(picture(120, 96, 0), picture(100, 130, 1), None)


class Stop(Exception):
    """Stands for the end of the process."""


def stop_after(steps: int):
    def on_step(step: Step) -> None:
        nonlocal steps
        steps -= not step.replayed
        if steps <= 0:
            raise Stop

    return on_step


def test_the_loss_is_the_weighted_sum_of_its_terms(vgg: VGG19, pictures: Pictures) -> None:
    content = pictures.content_at(64)
    style = pictures.style_at(content, 1.0)
    job = make_job(tv_weight=2.0, style_layer_weights={"block1_conv1": 3.0}, content_layer_weights={"conv2_1": 0.5})
    plain, weighted = make_job(tv_weight=1.0), job
    image = torch.rand_like(content)
    one, two = (evaluate(build_objective(vgg, content, style, j), image)[0] for j in (plain, weighted))
    assert set(one) == {"content.block2_conv1", "style.block1_conv1", "style.block2_conv1", "tv", "total"}
    factors = {"content.block2_conv1": 0.5, "style.block1_conv1": 3.0, "style.block2_conv1": 1.0, "tv": 2.0}
    assert all(two[name] == pytest.approx(factor * one[name], rel=1e-5) for name, factor in factors.items())
    assert two["total"] == pytest.approx(sum(two[name] for name in factors))


def test_the_loss_of_the_targets_themselves_is_zero(vgg: VGG19, pictures: Pictures) -> None:
    content = pictures.content_at(64)
    losses, gradient = evaluate(build_objective(vgg, content, content, make_job()), content)
    assert losses["total"] == pytest.approx(0, abs=1e-3)
    assert gradient.shape == content.shape


def test_layers_of_weight_zero_are_not_computed(vgg: VGG19, pictures: Pictures) -> None:
    content = pictures.content_at(64)
    job = make_job(content_weight=0.0, style_layer_weights={"block2_conv1": 0.0})
    assert set(build_objective(vgg, content, content, job)(content)) == {"style.block1_conv1"}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": "adam", "learning_rate": 0.02},
        {"start": "noise", "style_weight": 0.0},
        {"preserve_color": True},
        {"tv_weight": 100.0},
        {"pooling": "average", "style_scale": 1.5},
        {"content_layers": []},
    ],
)
def test_the_loss_falls(vgg: VGG19, pictures: Pictures, changes: dict) -> None:
    job = make_job(iterations=12, snapshot_every=5, **changes)
    painting = paint(pictures, vgg, job, CPU)
    assert len(painting.losses) == 13
    assert painting.losses[-1]["total"] < 0.7 * painting.losses[0]["total"]
    assert list(painting.snapshots) == [5, 10, 12]
    measured = measure(painting.image, pictures, vgg, job)
    assert measured["total"] == pytest.approx(painting.losses[-1]["total"], rel=1e-4)


def test_preserved_colours_are_those_of_the_content(vgg: VGG19, pictures: Pictures) -> None:
    result = paint(pictures, vgg, make_job(preserve_color=True, iterations=8), CPU).snapshots[8] / 255
    content = pictures.content_at(64)
    inside = ((result > 0.01) & (result < 0.99)).all(1, keepdim=True)  # clipping changes colours
    shift = (result - luminance(result)) - (content - luminance(content))
    assert inside.float().mean() > 0.5
    assert (shift * inside).abs().max() < 0.01
    assert (luminance(result) - luminance(content)).abs().mean() > 0.01


def test_a_coarse_start_has_a_lower_loss(vgg: VGG19, pictures: Pictures) -> None:
    job = make_job(size=120, iterations=1, coarse_iterations=[25])
    assert [(level.size, level.iterations, level.last) for level in plan(pictures, job)] == [
        (60, 25, False),
        (120, 1, True),
    ]
    coarse = paint(pictures, vgg, job, CPU)
    plain = paint(pictures, vgg, make_job(size=120, iterations=1), CPU)
    assert coarse.image.shape == plain.image.shape == (1, 3, 96, 120)
    assert coarse.losses[0]["total"] < 0.7 * plain.losses[0]["total"]


def test_noise_depends_on_the_seed(vgg: VGG19, pictures: Pictures) -> None:
    one, again, other = (
        paint(pictures, vgg, make_job(start="noise", seed=s, iterations=1), CPU).image for s in (1, 1, 2)
    )
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("stops", [[1], [7], [9], [5, 3, 4]])
@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_stopped_and_resumed_is_the_same_to_the_bit(
    tmp_path: Path, vgg: VGG19, pictures: Pictures, stops: list[int], optimizer: str
) -> None:
    rate = 1.0 if optimizer == "lbfgs" else 0.02
    job = make_job(size=124, coarse_iterations=[4], iterations=7, optimizer=optimizer, learning_rate=rate, history=3)
    expected = paint(pictures, vgg, job, CPU)
    for stop in stops:
        with pytest.raises(Stop):
            paint(pictures, vgg, job, CPU, Checkpoints(tmp_path), stop_after(stop))
    seen: list[Step] = []
    found = paint(pictures, vgg, job, CPU, Checkpoints(tmp_path), seen.append)
    assert torch.equal(found.image, expected.image)
    assert found.losses == expected.losses
    assert [(i, image.tolist()) for i, image in found.snapshots.items()] == [
        (i, image.tolist()) for i, image in expected.snapshots.items()
    ]
    assert [step.iteration for step in seen if step.level.last] == list(range(1, 8))
    assert [step.losses for step in seen if step.level.last] == expected.losses[:-1]


@pytest.mark.faults
@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "all"])
def test_a_damaged_checkpoint_is_replaced_by_the_one_before(
    tmp_path: Path, vgg: VGG19, pictures: Pictures, damage: str
) -> None:
    job = make_job(iterations=7)
    with pytest.raises(Stop):
        paint(pictures, vgg, job, CPU, Checkpoints(tmp_path), stop_after(6))
    before, newest = sorted(tmp_path.glob("*.safetensors"))  # after 4 and after 6 iterations
    whole = newest.read_bytes()
    middle = len(whole) // 2
    for path in [before, newest] if damage == "all" else [newest]:
        path.write_bytes({"cut": whole[:middle], "flipped": whole[:middle] + b"\x00\xff" + whole[middle + 2 :]}.get(
            damage, b""))  # fmt: skip
    (tmp_path / "unnamed.safetensors").write_bytes(b"half a file")  # a checkpoint that was being written
    seen: list[Step] = []
    found = paint(pictures, vgg, job, CPU, Checkpoints(tmp_path), seen.append)
    assert sum(step.replayed for step in seen) == (0 if damage == "all" else 4)
    assert torch.equal(found.image, paint(pictures, vgg, job, CPU).image)


def test_only_two_checkpoints_are_kept(tmp_path: Path, vgg: VGG19, pictures: Pictures) -> None:
    paint(pictures, vgg, make_job(iterations=9), CPU, Checkpoints(tmp_path))
    assert [path.name[:15] for path in sorted(tmp_path.iterdir())] == ["state-000000008", "state-000000009"]


def test_a_loss_that_leaves_the_numbers_is_one_line(vgg: VGG19, pictures: Pictures) -> None:
    job = make_job(iterations=9).model_copy(update={"style_weight": 1e39})
    with pytest.raises(UserError, match=r"the loss is (nan|inf) after \d+ iterations at 64 pixels: lower"):
        paint(pictures, vgg, job, CPU)


def test_bfloat16_reaches_the_same_loss(vgg: VGG19, weights: Path, pictures: Pictures) -> None:
    job = make_job(iterations=25)
    half = VGG19(read_weights(weights), ["block1_conv1", "block2_conv1"], dtype=torch.bfloat16)
    exact, rounded = (measure(paint(pictures, v, job, CPU).image, pictures, vgg, job)["total"] for v in (vgg, half))
    assert math.isclose(exact, rounded, rel_tol=0.15)


def test_every_picture_on_the_way_lies_within_the_range_of_a_file(vgg: VGG19, pictures: Pictures) -> None:
    seen: list[torch.Tensor] = []
    paint(pictures, vgg, make_job(iterations=6), CPU, None, lambda step: seen.append(step.image.clone()))
    assert len(seen) == 6
    assert all(image.min() >= 0 and image.max() <= 1 for image in seen)
    assert any((image == 0).any() or (image == 1).any() for image in seen)
