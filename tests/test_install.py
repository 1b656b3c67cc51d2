"""What `make install` sets up: DVC without git where there is none, and a page of plots that needs no network."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nnlab.report.plots_page import main

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture
def unzipped(tmp_path: Path) -> Path:
    """The project's folder without .git, as it comes out of a zip, with this environment as its own."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.safetensors"))
    for name in ("Makefile", "dvc.yaml", "params.yaml", ".dvc/config", "stages/fetch.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "report").mkdir()
    for name in ("requirements.txt", "pyproject.toml", ".venv/bin/installed"):  # the last one is the newest
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    python = tmp_path / ".venv/bin/python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return tmp_path


def run(folder: Path, *command: str) -> str:
    variables = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "DVC_", "MAKE"))}
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_stages_and_plots_work_without_git_and_without_a_network(unzipped: Path) -> None:
    run(unzipped, "make", "install")
    (unzipped / ".venv/bin/installed").unlink()
    commands = run(unzipped, "make", "-n", "install")
    assert "nnlab.report.plots_page .venv/plots.html" in commands
    assert "config --local plots.html_template ../.venv/plots.html" in commands
    main(unzipped / ".venv/plots.html")
    dvc = (sys.executable, "-m", "dvc")
    run(unzipped, *dvc, "config", "--local", "plots.html_template", "../.venv/plots.html")
    assert "Running stage 'fetch@mnist'" in run(unzipped, *dvc, "repro", "--dry", "--single-item", "fetch@mnist")
    (unzipped / "loss.csv").write_text("epoch,loss\n1,0.5\n2,0.25\n", encoding="utf-8")
    run(unzipped, *dvc, "plots", "show", "loss.csv", "-x", "epoch", "-y", "loss", "-o", "page")
    page = unzipped / "page/index.html"
    text = page.read_text(encoding="utf-8")
    assert "0.25" in text
    tags = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r"https?://", re.sub(r'"\$schema": "[^"]*"', "", tags))
    if CHROMIUM:
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--dump-dom"]
        flags += ["--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={unzipped / 'profile'}"]
        drawn = run(unzipped, CHROMIUM, *flags, "--virtual-time-budget=20000", page.as_uri())
        assert 'class="marks"' in drawn
