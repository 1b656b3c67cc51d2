"""Code and report in one zip to hand in: `python -m nnlab.report.pack`, which `make report` runs.

The code is what git tracks, changes that are not committed yet included, and nothing else; the web page and the PDF lie
beside it in one folder, which is named like the zip.
"""

import subprocess
import sys
from pathlib import Path

from nnlab.errors import UserError
from nnlab.files import atomic
from nnlab.params import load_params
from nnlab.stage import run

REPORT = Path("report")


def pack(root: Path, name: str) -> Path:
    """Write `root`/report/`name`.zip, with index.html and `name`.pdf of that folder, and return its path."""
    reports = [root / REPORT / file for file in ("index.html", f"{name}.pdf")]
    if missing := [str(report) for report in reports if not report.is_file()]:
        raise UserError(
            f"{', '.join(missing)}: not found; the zip carries the reports: run `dvc repro report/dvc.yaml`"
        )
    # A commit of the tracked files as they are now, on no branch; nothing where all are committed.
    now = _git(root, "-c", "user.name=nnlab", "-c", "user.email=nnlab@localhost", "stash", "create") or "HEAD"
    with atomic(root / REPORT / f"{name}.zip") as temporary:
        added = [f"--add-file={report.relative_to(root)}" for report in reports]
        _git(root, "archive", "--format=zip", f"--prefix={name}/", *added, f"--output={temporary.resolve()}", now)
    if new := _git(root, "ls-files", "--others", "--exclude-standard").splitlines():
        print(f"not packed, for git does not track them (git add): {', '.join(new[:10])}", file=sys.stderr)
    return root / REPORT / f"{name}.zip"


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-c", "core.quotePath=false", *arguments]
    try:
        return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        raise UserError("git is not installed; it lists the files to pack") from None
    except subprocess.CalledProcessError as error:
        raise UserError(f"git {arguments[0]}: {error.stderr.strip() or 'failed'}; the zip is made from git") from None


def main(params: Path = Path("params.yaml")) -> None:
    """Pack the project in the working folder."""
    report = load_params(params).report
    out = pack(Path(), f"实验三_{report.name}_{report.student_id}")
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    run(main)
