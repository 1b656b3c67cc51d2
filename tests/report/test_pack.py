import subprocess
import zipfile
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from nnlab.errors import UserError
from nnlab.report.pack import pack, project_files

CODE = ["src/nnlab/a.py", "stages/s.py", "params.yaml", "dvc.yaml", "README.md", "中文 名.py", "report/dvc.yaml",
        "data/photos/README.md", "metrics/fashion.json", "plots/a.png", ".gitignore"]  # fmt: skip
JUNK = ["data/raw/big.bin", "data/photos/me.jpg", ".venv/lib/x.py", "src/nnlab/__pycache__/a.pyc", "runs/events",
        ".dvc/cache/ab", ".dvc/tmp/x", "dvc.lock", "report/index.html", "report/old.pdf", ".resume/x/y",
        ".env"]  # fmt: skip


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "p"
    for name in CODE + JUNK:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"# {name}\n", encoding="utf-8")
    return root


def as_git(root):
    (root / ".gitignore").write_text("/data/*\n!/data/photos/\n.venv\n/report/*.pdf\n", encoding="utf-8")
    for command in (["init", "-q"], ["add", "-A", ":!中文*"]):  # one new file is not added yet
        subprocess.run(["git", *command], cwd=root, check=True)


@pytest.mark.parametrize("git", [True, False])
def test_code_goes_in_and_data_stays_out(project, git):
    if git:
        as_git(project)
    assert project_files(project) == sorted(CODE)


def test_the_zip_has_code_and_reports_in_one_folder(project):
    out = project / "report/实验三_张三_1.zip"
    names = pack(project, [project / "report/index.html"], out)
    assert zipfile.ZipFile(out).namelist() == names
    assert "实验三_张三_1/index.html" in names
    assert "实验三_张三_1/中文 名.py" in names
    assert all(name.startswith("实验三_张三_1/") for name in names)
    assert zipfile.ZipFile(out).testzip() is None


def test_the_same_files_give_the_same_bytes(project):
    out = project / "report/a.zip"
    pack(project, [project / "report/index.html"], out)
    first = out.read_bytes()
    (project / "src/nnlab/a.py").touch()
    pack(project, [project / "report/index.html"], out)  # a zip that is there already is not packed
    assert out.read_bytes() == first


def test_a_missing_report_is_one_line_and_no_zip_is_left(project):
    with pytest.raises(UserError, match=r"none\.pdf: not found"):
        pack(project, [project / "none.pdf"], project / "a.zip")
    assert not (project / "a.zip").exists()


def test_a_wrong_folder_is_an_error(tmp_path):
    (tmp_path / "index.html").write_text("x")
    with pytest.raises(UserError, match="no Python file"):
        pack(tmp_path, [tmp_path / "index.html"], tmp_path / "a.zip")


def test_the_stage_depends_on_every_file_that_it_packs():
    """But for metrics/ and plots/, which the reports depend on, .dvc/, and DVC files, which cannot be dependencies."""
    root = Path(__file__).resolve().parents[2]
    deps = YAML(typ="safe").load(root / "report/dvc.yaml")["stages"]["report_pack"]["deps"]
    exempt = ("metrics/", "plots/", ".dvc/", "dvc.yaml", "report/dvc.yaml")
    packed = [name for name in project_files(root) if not name.startswith(exempt)]
    assert "src/nnlab/report/pack.py" in packed
    uncovered = [name for name in packed if not any(name == dep or name.startswith(f"{dep}/") for dep in deps)]
    assert not uncovered
    assert not [dep for dep in deps if not dep.startswith("report/") and not (root / dep).exists()]
