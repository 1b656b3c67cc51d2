"""The stage as DVC runs it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.gatys.conftest import picture

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_a_file_name_never_reaches_a_shell(tmp_path: Path, weights: Path) -> None:
    """Of the pipeline the one stage, with a job whose pictures have names that a shell would run."""
    graph = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    names = {"content": "my photo `touch PWNED` (1).png", "style": "$(touch OWNED);&'\".png"}
    job = {**names, "content_layers": ["block1_conv1"], "style_layers": ["block1_conv1"], "size": 32, "iterations": 1}
    params["gatys"]["jobs"] = {"odd": job}
    for name, values in (("dvc", {"stages": {"gatys_stylize": graph["stages"]["gatys_stylize"]}}), ("params", params)):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
    for seed, name in enumerate(names.values()):
        picture(40, 32, seed).save(tmp_path / name)
    for folder in ("src", "stages"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    (tmp_path / "data/raw/vgg19").mkdir(parents=True)
    shutil.copyfile(weights, tmp_path / "data/raw/vgg19" / weights.name)
    environment = {**os.environ, "PYTHONPATH": "src", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for command in (["init", "--no-scm", "--quiet"], ["repro"]):
        result = subprocess.run([sys.executable, "-m", "dvc", *command], cwd=tmp_path, env=environment,
                                capture_output=True, text=True)  # fmt: skip
        assert result.returncode == 0, result.stdout + result.stderr
    assert json.loads((tmp_path / "data/results/gatys/odd/info.json").read_text())["iterations"] == 1
    assert not [path for path in tmp_path.rglob("*") if path.name in ("PWNED", "OWNED")]
