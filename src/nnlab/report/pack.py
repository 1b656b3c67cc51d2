"""Code and report in one zip to hand in: no data, no environment, no history; the same bytes for the same files."""

import os
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from nnlab.errors import UserError
from nnlab.files import atomic

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip file can hold
_SKIPPED_FOLDERS = {
    ".git", ".venv", "venv", "env", "data", "report", "runs", ".resume", ".queue", "node_modules", "build",
    "dist", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".ipynb_checkpoints", ".idea",
    ".vscode",
}  # fmt: skip
_SKIPPED_SUFFIXES = {".pyc", ".pyo", ".zip", ".pdf"}
_KEPT = {"data/photos/README.md", "report/dvc.yaml"}  # code in folders that hold results
_SKIPPED_NAMES = {".DS_Store", ".env", "dvc.lock"}  # dvc.lock is rewritten while this very stage runs


def pack(root: Path, reports: Sequence[Path], out: Path) -> list[str]:
    """Write the project's files under `root` and the `reports` into the zip `out`; returns the names in it.

    Code is what git tracks, and what it would track (new files that are not ignored); outside a git repository, every
    file but those of known working folders. All lie in one folder named like the zip; reports lie at its top.
    """
    for report in reports:
        if not report.is_file():
            raise UserError(f"{report}: not found; the zip carries it: run `dvc repro` first")
    top = out.stem
    entries = {f"{top}/{name}": root / name for name in project_files(root)}
    if not any(name.endswith(".py") for name in entries):
        raise UserError(f"{root}: no Python file found to pack; run from the project's folder")
    entries |= {f"{top}/{report.name}": report for report in reports}
    with atomic(out) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(entries):
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # Unix, on every system: the permissions below need it
            info.external_attr = (0o755 if os.access(entries[name], os.X_OK) else 0o644) << 16
            archive.writestr(info, entries[name].read_bytes())
    return sorted(entries)


def project_files(root: Path) -> list[str]:
    """The project's own files, as sorted names relative to `root` with forward slashes."""
    names = _git_files(root) if (root / ".git").exists() else None
    if names is None:
        names = _walk(root)
    return sorted(name for name in set(names) if _wanted(name) and (root / name).is_file())


def _wanted(name: str) -> bool:
    path = PurePosixPath(name)
    if name.startswith((".dvc/cache", ".dvc/tmp", ".dvc/config.local")) or path.name in _SKIPPED_NAMES:
        return False
    if path.parts[0] in _SKIPPED_FOLDERS and name not in _KEPT:
        return False
    return path.suffix not in _SKIPPED_SUFFIXES and not set(path.parts[1:-1]) & {"__pycache__", ".git", ".venv"}


def _git_files(root: Path) -> list[str] | None:
    """What git tracks or would track; None where git does not answer."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return [name for name in done.stdout.decode("utf-8", "surrogateescape").split("\0") if name]


def _walk(root: Path) -> list[str]:
    """Every file below `root`, without entering folders that hold no code; links to folders are not followed."""
    found = []
    for folder, folders, files in os.walk(root):
        here = Path(folder).relative_to(root)
        folders[:] = [
            name for name in folders
            if not (name == "__pycache__" or name.endswith(".egg-info") or (here == Path() and _is_working(root, name)))
        ]  # fmt: skip
        found += [(here / name).as_posix() for name in files]
    return [*found, *_KEPT]


def _is_working(root: Path, name: str) -> bool:
    """Whether a folder at the top holds environments, data or caches."""
    return name in _SKIPPED_FOLDERS or (root / name / "pyvenv.cfg").exists()
