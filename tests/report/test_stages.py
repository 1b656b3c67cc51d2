"""The three stages, as `dvc repro` calls them, on a made-up run and the project's own params.yaml."""

import shutil
import zipfile
from pathlib import Path

import pytest

from nnlab.stage import call
from stages import report_pack, report_pdf, report_web

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(run, tmp_path, monkeypatch):
    """A project folder with results, parameters and the package's sources."""
    shutil.copytree(run, tmp_path, dirs_exist_ok=True)
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.safetensors"))
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_page_pdf_and_zip(project, capsys):
    pdf, out = "report/实验三_姓名_学号.pdf", "report/实验三_姓名_学号.zip"
    assert call(report_web.main, ["metrics", "plots", "data", "report/index.html"]) == 0
    assert call(report_pdf.main, ["src/nnlab", "metrics", "plots", "data", pdf]) == 0
    assert "report.name" in capsys.readouterr().err  # without a name it builds, and says so
    assert call(report_pack.main, ["report/index.html", pdf, out]) == 0
    names = zipfile.ZipFile(out).namelist()
    assert {"实验三_姓名_学号/index.html", f"实验三_姓名_学号/{Path(pdf).name}"} <= set(names)
    assert "实验三_姓名_学号/src/nnlab/report/report.typ" in names


def test_a_function_that_is_gone_stops_the_pdf_in_one_line(project, capsys):
    source = project / "src/nnlab/gatys/losses.py"
    source.write_text(source.read_text(encoding="utf-8").replace("def style_loss", "def renamed"), encoding="utf-8")
    assert call(report_pdf.main, ["src/nnlab", "metrics", "plots", "data", "report/a.pdf"]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "losses.py: has no style_loss" in error
    assert not (project / "report/a.pdf").exists()


def test_a_name_with_a_slash_stops_every_stage(project, capsys):
    text = (project / "params.yaml").read_text(encoding="utf-8").replace("name: 姓名", "name: a/b")
    (project / "params.yaml").write_text(text, encoding="utf-8")
    assert call(report_web.main, ["metrics", "plots", "data", "report/index.html"]) == 1
    assert "report.name = 'a/b': becomes part of a file name" in capsys.readouterr().err


def test_a_run_that_has_not_finished_is_one_line(project, capsys):
    (project / "metrics/adain.json").unlink()
    assert call(report_web.main, ["metrics", "plots", "data", "report/index.html"]) == 1
    assert "metrics/adain.json: not found" in capsys.readouterr().err
