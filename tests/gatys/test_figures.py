"""What the figures show of finished jobs, without painting any."""

import json
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from nnlab.gatys.figures import Result, differing, draw, read_result
from nnlab.params import load_params
from tests.datasets import photo
from tests.gatys.conftest import make_job

LOSSES = pd.DataFrame(
    {
        "iteration": [0, 1, 2, 3],
        "total": [8000.0, 800.0, 500.0, 400.0],
        "content": [0.0, 200.0, 150.0, 100.0],
        "style": [8000.0, 600.0, 350.0, 300.0],
        "content.block2_conv1": [0.0, 200.0, 150.0, 100.0],
        "style.block1_conv1": [5000.0, 400.0, 250.0, 200.0],
        "style.block2_conv1": [3000.0, 200.0, 100.0, 100.0],
    }
)


@pytest.fixture
def provenance(tmp_path: Path) -> Path:
    path = tmp_path / "pair/provenance.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"name": "pair", "stand_in": True, "note": "STAND-IN: blocks"}))
    return path


def painted(folder: Path, provenance: Path, snapshots: int = 2, losses: pd.DataFrame = LOSSES, **changes) -> Result:
    """A job's folder as gatys_stylize leaves it, read back."""
    folder.mkdir()
    for number, part in enumerate(("content", "style", "result")):
        photo(number, (32, 24)).save(folder / f"{part}.png")
    for number in range(1, snapshots + 1):
        photo(number, (12, 8)).save(folder / f"snapshot_{number:04d}.png")
    losses.to_csv(folder / "losses.csv", index=False)
    (folder / "info.json").write_text(json.dumps({"total_loss": 400.0}))
    return read_result(folder.name, make_job(**changes), folder, provenance)


def test_every_job_has_its_figures_its_table_and_its_numbers(tmp_path: Path, provenance: Path) -> None:
    main = painted(tmp_path / "main", provenance, content=str(provenance.parent / "content.jpg"))
    alone = painted(
        tmp_path / "alone", provenance, losses=LOSSES.drop(columns="content.block2_conv1"), content_layers=[]
    )
    draw([main, alone], tmp_path / "plots")
    names = {f"{job}_{part}" for job in ("main", "alone")
             for part in ("losses.csv", "losses.png", "snapshots.png", "result.png")}  # fmt: skip
    assert {path.name for path in (tmp_path / "plots").iterdir()} == {*names, "layers.png"}
    assert (tmp_path / "plots/main_losses.csv").read_text().splitlines()[2] == "1,800.0,200.0,600.0,200.0,400.0,200.0"
    assert main.metrics() == {"total_loss": 400, "stand_in": "STAND-IN: blocks"}
    assert alone.metrics() == {"total_loss": 400, "stand_in": ""}


def test_very_many_snapshots_are_thinned_out(tmp_path: Path, provenance: Path) -> None:
    draw([painted(tmp_path / "main", provenance, snapshots=300, iterations=300)], tmp_path / "plots")
    with Image.open(tmp_path / "plots/main_snapshots.png") as image:
        assert max(image.size) < 10_000


def test_the_jobs_of_the_project_differ_in_their_layers_alone() -> None:
    """Else their comparison would not be about layers; what else differs is named."""
    assert differing([make_job(), make_job(style_layers=["block1_conv1"], content_weight=0.5)]) == ["content_weight"]
    assert differing(list(load_params(Path("params.yaml")).gatys.jobs.values())) == []
