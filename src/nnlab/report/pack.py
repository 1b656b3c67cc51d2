"""Code and report in one zip to hand in: `python -m nnlab.report.pack`, which `make report` runs.

The code is what git tracks, changes that are not committed yet included, and nothing else; the web page and the PDF lie
beside it in one folder, which is named like the zip.
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from nnlab.errors import UserError
from nnlab.files import atomic
from nnlab.params import ReportParams, load_params
from nnlab.stage import run

REPORT = Path("report")


def file_name(report: ReportParams) -> str:
    """What the PDF and the zip to hand in are called, without their endings; report/dvc.yaml has it, too."""
    return f"实验三_{report.name}_{report.student_id}"


def pack(root: Path, name: str) -> Path:
    """Write `root`/report/`name`.zip, with index.html and `name`.pdf of that folder, and return its path."""
    reports = {file: root / REPORT / file for file in ("index.html", f"{name}.pdf")}
    if missing := [str(REPORT / file) for file, path in reports.items() if not path.is_file()]:
        raise UserError(f"{', '.join(missing)}: not found; the zip needs them: run `dvc repro report/dvc.yaml`")
    out = root / REPORT / f"{name}.zip"
    files = {file: root / file for file in _code(root)} | reports  # unpacked from such a zip, it has old reports
    with atomic(out) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, path in files.items():
            if path.is_file():  # git lists what was deleted since the last commit, too
                archive.write(path, f"{name}/{file}")
    return out


def _code(root: Path) -> list[str]:
    """The files that git tracks; all that .gitignore leaves where there is no repository: unpacked from a zip."""
    new = ("--others", "--exclude-standard")
    if (root / ".git").exists():
        if others := _listed(root, *new):
            print(f"not packed, for git does not track them (git add): {', '.join(others[:10])}", file=sys.stderr)
        return _listed(root)
    with tempfile.TemporaryDirectory() as repository:
        subprocess.run(["git", "init", "--quiet", repository], check=True)
        return _listed(root, *new, repository=(f"--git-dir={repository}/.git", f"--work-tree={root.resolve()}"))


def _listed(root: Path, *which: str, repository: tuple[str, ...] = ()) -> list[str]:
    command = ["git", *repository, "ls-files", "-z", *which]
    said = subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE).stdout
    return said.decode().rstrip("\0").split("\0") if said else []


def main(params: Path = Path("params.yaml")) -> None:
    """Pack the project in the working folder."""
    out = pack(Path(), file_name(load_params(params).report))
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    run(main)
