"""What the figures show of finished jobs, without painting any."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnlab.gatys import figures
from nnlab.gatys.finished import Result
from tests.gatys.conftest import make_job, picture

LOSSES = {
    "iteration": [0.0, 1.0, 2.0, 3.0],
    "total": [8000.0, 800.0, 500.0, 400.0],
    "content.block2_conv1": [0.0, 200.0, 150.0, 100.0],
    "style.block1_conv1": [5000.0, 400.0, 250.0, 200.0],
    "style.block2_conv1": [3000.0, 200.0, 100.0, 100.0],
}


def made(name: str = "main", snapshots: int = 2, losses: dict[str, list[float]] | None = None, **changes) -> Result:
    picked = {i: picture(12, 8, i) for i in range(1, snapshots + 1)}
    pictures = {part: picture(32, 24, i) for i, part in enumerate(("content", "style", "result"))}
    job = make_job(**changes)
    return Result(name=name, job=job, **pictures, snapshots=picked, losses=losses or LOSSES, info={}, note=None)


def test_the_table_has_the_sums_and_every_layer(tmp_path: Path) -> None:
    figures.draw([made()], tmp_path / "plots")
    with (tmp_path / "plots/main_losses.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["iteration", "total", "content", "style", *list(LOSSES)[2:]]
    assert [row["iteration"] for row in rows] == ["0", "1", "2", "3"]
    assert [float(rows[1][key]) for key in ("total", "content", "style")] == [800, 200, 600]


def test_a_job_without_content_layers_has_the_column_too(tmp_path: Path) -> None:
    losses = {key: values for key, values in LOSSES.items() if not key.startswith("content")}
    figures.draw([made(losses=losses, content_layers=[])], tmp_path / "plots")
    with (tmp_path / "plots/main_losses.csv").open(newline="") as file:
        assert [float(row["content"]) for row in csv.DictReader(file)] == [0] * 4


def test_the_axis_starts_below_the_lowest_loss_not_below_the_iteration() -> None:
    assert figures.lowest_loss(LOSSES) == 100
    assert figures.lowest_loss({"iteration": [0.0, 1.0], "total": [0.0, 0.0]}) is None


def test_very_many_snapshots_are_thinned_out(tmp_path: Path) -> None:
    assert figures.spread([5, 6]) == [5, 6]
    shown = figures.spread(list(range(1, 1001)))
    assert (len(shown), shown[0], shown[-1]) == (figures.SHOWN, 1, 1000)
    gaps = np.diff(shown)
    assert gaps.max() - gaps.min() <= 1
    figures.draw([made(snapshots=300)], tmp_path / "plots")
    with Image.open(tmp_path / "plots/main_snapshots.png") as image:
        assert max(image.size) < 10_000


def test_every_difference_between_the_jobs_is_named() -> None:
    jobs = [made("main"), made("layers", style_layers=["block1_conv1"], content_weight=0.5)]
    assert figures.differing(jobs) == ["content_weight"]
    figure = figures._layers(jobs)
    texts = [axis.get_title() for axis in figure.axes]
    assert "content_weight: 0.01" in texts[2]
    assert "content_weight: 0.5" in texts[3]
    assert figure.get_suptitle() == "The choice of layers (the jobs also differ in content_weight)"
    assert figures._layers([made("main"), made("layers", style_layers=[])]).get_suptitle() == "The choice of layers"


@pytest.mark.parametrize("there", [True, False])
def test_a_failure_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    plots = tmp_path / "plots"
    if there:
        figures.draw([made()], plots)
    before = {path.name: path.read_bytes() for path in plots.glob("*")}

    def broken(results: list[Result]) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figures, "_layers", broken)
    with pytest.raises(OSError, match="No space left"):
        figures.draw([made(snapshots=4)], plots)
    assert {path.name: path.read_bytes() for path in plots.glob("*")} == before
    assert [path.name for path in tmp_path.iterdir()] == (["plots"] if there else [])
