"""What the figures show of finished jobs, without painting any."""

import json
from pathlib import Path

import pytest
from PIL import Image

from nnlab.gatys.figures import Result, differing, draw, read_result
from nnlab.params import load_params
from stages import gatys_figures
from tests.datasets import photo
from tests.gatys.conftest import make_job
from tests.quick import ROOT

LOSSES = """iteration,total,content,style,content.block2_conv1,style.block1_conv1,style.block2_conv1
0,8000.0,0.0,8000.0,0.0,5000.0,3000.0
1,800.0,200.0,600.0,200.0,400.0,200.0
2,500.0,150.0,350.0,150.0,250.0,100.0
"""


def painted(folder: Path, provenance: Path, snapshots: int, height: int = 24, **changes: object) -> Result:
    """A job's folder as gatys_stylize leaves it, read back."""
    folder.mkdir(parents=True)
    for number, part in enumerate(("content", "style", "result")):
        photo(number, (32, height)).save(folder / f"{part}.png")
    for number in range(1, snapshots + 1):
        photo(number, (16, height // 2)).save(folder / f"snapshot_{number:04d}.png")
    (folder / "losses.csv").write_text(LOSSES)
    (folder / "info.json").write_text(json.dumps({"total_loss": 400.0}))
    return read_result(folder.name, make_job(**changes), folder, provenance)


def test_every_job_has_its_figures_its_table_and_its_numbers(tmp_path: Path) -> None:
    provenance = tmp_path / "provenance.json"
    replaced = {"content.jpg": "blocks for cornell.jpg", "style.jpg": "oil for Matisse"}
    provenance.write_text(json.dumps({"name": "pair", "stand_in": True, "note": "", "replaced": replaced}))
    main = painted(tmp_path / "main", provenance, 2, content=str(provenance.parent / "content.jpg"), size=128,
                   coarse_iterations=[1])  # fmt: skip
    other = painted(tmp_path / "other", provenance, 300, content_layers=[], iterations=300)
    tall = painted(tmp_path / "tall", provenance, 30, 448, iterations=30)
    draw([main, other, tall], tmp_path / "plots")
    parts = ("losses.csv", "losses.png", "snapshots.png", "result.png")
    names = {f"{job}_{part}" for job in ("main", "other", "tall") for part in parts}
    assert {path.name for path in (tmp_path / "plots").iterdir()} == {*names, "layers.png"}
    assert (tmp_path / "plots/main_losses.csv").read_text() == LOSSES
    assert main.note.startswith("STAND-IN: blocks for cornell.jpg, because")  # the job has a painting of its own
    assert main.metrics() == {"total_loss": 400, "stand_in": main.note}
    assert other.metrics() == {"total_loss": 400, "stand_in": ""}
    for name in ("other", "tall"):
        with Image.open(tmp_path / f"plots/{name}_snapshots.png") as image:
            assert max(image.size) < 10_000  # of very many snapshots some are left out


def test_a_folder_of_no_job_is_moved_aside_whatever_is_there(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    provenance = tmp_path / "provenance.json"
    provenance.write_text(json.dumps({"name": "pair", "stand_in": False, "note": ""}))
    names = list(load_params(ROOT / "params.yaml").gatys.jobs)
    for name in (*names, "mine"):
        painted(tmp_path / "gatys" / name, provenance, 1)
    outputs = [tmp_path / name for name in ("metrics.json", "summary.json", "plots")]
    gatys_figures.main(tmp_path / "gatys", provenance, *outputs, ROOT / "params.yaml")
    assert sorted(json.loads(outputs[0].read_text())) == sorted(names)
    assert sorted(path.name for path in (tmp_path / "gatys").iterdir()) == sorted(names)
    (aside,) = (tmp_path / "gatys_removed").glob("mine-*")
    assert (aside / "losses.csv").read_text() == LOSSES
    assert f"moved to {aside}" in capsys.readouterr().err


def test_what_differs_between_jobs_beside_their_layers_is_named() -> None:
    """Else their comparison would not be about layers."""
    changed = make_job(style="b", style_layers=["relu1_1"], content_weight=1.0)
    assert differing([make_job(), changed]) == ["content_weight"]
