"""The zip to hand in: what git tracks, and the reports."""

import zipfile

import pytest

from nnlab.errors import UserError
from nnlab.report.pack import pack
from tests import quick
from tests.datasets import write_files

TRACKED = ["src/nnlab/a.py", "params.yaml", "中文 名.py", "plots/a.png", ".gitignore"]
IGNORED = ["data/raw/big.bin", "report/index.html", "report/实验三_张三_1.pdf", "report/old.pdf"]
NAME = "实验三_张三_1"


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "p"
    files = {name: f"# {name}\n".encode() for name in TRACKED + IGNORED}
    quick.make_repository(write_files(root, {**files, ".gitignore": b"/data/\n/report/*\n"}))
    return root


@pytest.mark.parametrize("place", ["repository", "shallow clone", "worktree", "the zip, unpacked"])
def test_what_git_tracks_and_the_reports_go_in_and_nothing_else(project, tmp_path, place):
    root, wanted = tmp_path / place, sorted([*TRACKED, "index.html", f"{NAME}.pdf"])
    if place == "repository":
        root = project
    elif place == "shallow clone":
        quick.git(tmp_path, "clone", "--quiet", "--depth", "1", project.as_uri(), root)
    elif place == "worktree":
        quick.git(project, "worktree", "add", "--quiet", "-b", "other", root)
    else:
        with zipfile.ZipFile(pack(project, NAME)) as archive:
            archive.extractall(tmp_path)
        root = tmp_path / NAME
    write_files(root / "report", {"index.html": b"anew", f"{NAME}.pdf": b"anew"})
    assert pack(root, NAME) == root / f"report/{NAME}.zip"
    with zipfile.ZipFile(root / f"report/{NAME}.zip") as archive:
        assert archive.testzip() is None
        files = [name.removeprefix(f"{NAME}/") for name in archive.namelist() if not name.endswith("/")]
    assert sorted(files) == wanted


def test_a_changed_file_is_packed_as_it_is_and_a_new_one_is_named(project, capsys):
    (project / "params.yaml").write_text("name: 张三\n", encoding="utf-8")
    (project / "new.py").write_text("", encoding="utf-8")
    (project / "caf\udce9.txt").write_text("", encoding="utf-8")  # Python's spelling of a name that is no UTF-8
    before = quick.git(project, "status", "--porcelain")
    with zipfile.ZipFile(pack(project, NAME)) as archive:
        assert archive.read(f"{NAME}/params.yaml").decode() == "name: 张三\n"
        assert f"{NAME}/new.py" not in archive.namelist()
    assert "new.py" in capsys.readouterr().err
    assert quick.git(project, "status", "--porcelain") == before


def test_a_missing_report_is_one_line_and_no_zip_is_left(project):
    (project / "report/index.html").unlink()
    with pytest.raises(UserError, match=r"index\.html: not found"):
        pack(project, NAME)
    assert not list((project / "report").glob("*.zip"))
