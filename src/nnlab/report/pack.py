"""Code and report in one zip to hand in: `python -m nnlab.report.pack`, which `make report` runs.

The code is what git tracks, changes that are not committed yet included, and nothing else; the web page and the PDF lie
beside it in one folder, which is named like the zip.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from functools import partial
from pathlib import Path

from nnlab.errors import UserError
from nnlab.files import atomic
from nnlab.params import Params, ReportParams
from nnlab.stage import script

REPORT = Path("report")


def file_name(report: ReportParams) -> str:
    """What the PDF and the zip to hand in are called, without their endings; report/dvc.yaml has it, too."""
    return f"实验三_{report.name}_{report.student_id}"


def pack(root: Path, name: str) -> Path:
    """Write `root`/report/`name`.zip, with index.html and `name`.pdf of that folder, and return its path."""
    reports = [REPORT / "index.html", REPORT / f"{name}.pdf"]
    if missing := [str(report) for report in reports if not (root / report).is_file()]:
        raise UserError(f"{', '.join(missing)}: not found; the zip needs them: run `dvc repro report/dvc.yaml`")
    with tempfile.TemporaryDirectory() as repository:
        if (root / ".git").exists():
            git = partial(_git, root, {})
            # A commit of the tracked files as they are now, on no branch; nothing where all are committed.
            packed = git("-c", "user.name=nnlab", "-c", "user.email=nnlab@localhost", "stash", "create") or "HEAD"
            if new := git("ls-files", "--others", "--exclude-standard").splitlines():
                print(f"not packed, for git does not track them (git add): {', '.join(new[:10])}", file=sys.stderr)
        else:  # unpacked from such a zip, or from a web page's: what .gitignore leaves, and not that zip's reports
            git = partial(_git, root, {"GIT_DIR": repository, "GIT_WORK_TREE": str(root.resolve())})
            git("init", "--quiet")
            git("add", "--all", ".", *(f":!{report.name}" for report in reports))
            packed = git("write-tree")
        with atomic(root / REPORT / f"{name}.zip") as temporary:
            git("archive", "--format=zip", f"--prefix={name}/", f"--output={temporary.resolve()}", packed)
            with zipfile.ZipFile(temporary, "a", zipfile.ZIP_DEFLATED) as archive:  # --add-file needs git 2.29
                for report in reports:
                    archive.write(root / report, f"{name}/{report.name}")
    return root / REPORT / f"{name}.zip"


def _git(root: Path, variables: dict[str, str], *arguments: str) -> str:
    command, environment = ["git", "-c", "core.quotePath=false", *arguments], os.environ | variables
    try:
        done = subprocess.run(
            command, cwd=root, check=True, capture_output=True, env=environment, text=True, errors="backslashreplace"
        )
    except FileNotFoundError:
        raise UserError("git is not installed; it lists the files to pack") from None
    except subprocess.CalledProcessError as error:
        raise UserError(f"{' '.join(command)}: {error.stderr.strip()}; the zip is made with git") from None
    return done.stdout.strip()


@script
def main(params: Params) -> None:
    """Pack the project in the working folder."""
    out = pack(Path(), file_name(params.report))
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")
