"""What `make install` sets up: DVC without git where there is none, and a page of plots that needs no network."""

import re
import sys
from pathlib import Path

from nnlab.report.plots_page import main
from tests.browser import person
from tests.quick import copy_files, dvc, run


def test_stages_and_plots_work_without_git_and_without_a_network(tmp_path: Path) -> None:
    """In the project's folder without .git, as it comes out of a zip, with this environment as its own."""
    copy_files(tmp_path)
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    (python.parent / "installed").write_text(f"{tmp_path.resolve()}\n")  # newer than all that it depends on
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    run(tmp_path, "make", "install")
    (python.parent / "installed").write_text("/another/folder\n")  # which this was copied from
    commands = run(tmp_path, "make", "-n", "install")
    assert "rm -rf .venv" in commands
    assert "nnlab.report.plots_page .venv/plots.html" in commands
    assert "config --local plots.html_template ../.venv/plots.html" in commands
    main(tmp_path / ".venv/plots.html")
    dvc(tmp_path, "config", "--local", "plots.html_template", "../.venv/plots.html")
    assert "Running stage 'fetch@mnist'" in dvc(tmp_path, "repro", "--dry", "--single-item", "fetch@mnist")
    (tmp_path / "loss.csv").write_text("epoch,loss\n1,0.5\n2,0.25\n", encoding="utf-8")
    dvc(tmp_path, "plots", "show", "loss.csv", "-x", "epoch", "-y", "loss", "-o", "page")
    page = tmp_path / "page/index.html"
    text = page.read_text(encoding="utf-8")
    assert "0.25" in text
    tags = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r"https?://", re.sub(r'"\$schema": "[^"]*"', "", tags))
    with person() as me:  # last, for it may skip the test
        me.open(page.as_uri())
        me.until(lambda: me.driver.execute_script("return document.querySelectorAll('.marks').length"))
