"""Run the whole graph at reduced settings in a scratch copy: `make quick`, and the end-to-end test.

The copy holds the working tree (what git tracks or would track) with the values of `tests/quick.yaml` put into its
`params.yaml`. Data sets that the workspace has fetched serve as the mirror, so nothing is downloaded twice.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from dvc.repo import Repo
from ruamel.yaml import YAML

from nnlab.files import sha256

ROOT = Path(__file__).resolve().parents[1]
QUICK = Path(__file__).with_name("quick.yaml")


def copy_tree(target: Path) -> None:
    """Copy the working tree to `target`, make it a git repository of its own, and change `params.yaml`."""
    copy_files(target)
    override(target / "params.yaml", YAML(typ="safe").load(QUICK) or {})
    make_repository(target)


def copy_files(target: Path) -> None:
    """Copy the working tree to `target`: what git tracks or would track."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, os.fsdecode(listed.stdout).split("\0")):
        if (ROOT / name).is_file():  # a file deleted in the working tree is still listed
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def make_repository(folder: Path) -> None:
    """Make the folder a git repository of its own, with one commit."""
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "Scratch copy"]):
        git(folder, *command)


def git(tree: Path, *arguments: str | Path) -> str:
    """Run git in `tree` as somebody who may commit there; return what it printed."""
    somebody = ["-c", "user.name=quick", "-c", "user.email=quick@localhost", "-c", "commit.gpgsign=false"]
    return run(tree, "git", *somebody, *arguments)


def run(tree: Path, *command: str | Path) -> str:
    """Run a command that must succeed in `tree`; return what it printed."""
    done = subprocess.run(command, cwd=tree, env=environment(tree), capture_output=True, text=True)
    assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
    return done.stdout


def override(path: Path, values: dict[str, Any]) -> None:
    """Set dotted keys of a YAML file; a key that is not there is an error: it would change nothing."""
    yaml = YAML()  # as DVC reads and writes it: comments and 1e-4 stay what they are
    params = yaml.load(path)
    for dotted, value in values.items():
        *parents, last = dotted.split(".")
        section = params
        for key in parents:
            section = section[key]
        if last not in section:
            raise KeyError(f"{QUICK.name}: {dotted} is not in {path.name}")
        section[last] = value
    yaml.dump(params, path)


def write_params(folder: Path, values: dict[str, Any]) -> Path:
    """Write the project's params.yaml with other values for dotted keys into `folder`; its path."""
    path = shutil.copyfile(ROOT / "params.yaml", folder / "params.yaml")
    override(path, values)
    return path


def environment(tree: Path) -> dict[str, str]:
    """The environment in which the commands of a copy run: its own code, this interpreter, no outer git or make."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "DVC_", "MAKE"))}
    if (ROOT / "data/raw").is_dir():
        variables.setdefault("NNLAB_MIRROR", str(ROOT / "data/raw"))
    path = os.pathsep.join([str(Path(sys.executable).parent), variables.get("PATH", "")])
    return {**variables, "PATH": path, "PYTHONPATH": str(tree / "src"), "PYTHONUNBUFFERED": "1"}


def dvc(tree: Path, *arguments: str, code: int | None = 0) -> str:
    """Run dvc in `tree`; return what it printed. `code` is the exit code that must come, None for any.

    The output goes through a file: the workers of a queue live on, and would hold a pipe open.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        command = [sys.executable, "-m", "dvc", *arguments]
        result = subprocess.run(
            command, cwd=tree, env=environment(tree), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        output.seek(0)
        said = output.read()
    if code is not None and result.returncode != code:
        raise AssertionError(f"dvc {' '.join(arguments)} ended with {result.returncode}:\n{said[-4000:]}")
    return said


def clone(source: Path, target: Path) -> None:
    """Copy a finished scratch copy in no time: data and cache, which nobody writes in place, are linked."""

    def put(file: str, copy: str) -> None:
        parts = Path(file).relative_to(source).parts
        if parts[0] == "data" or parts[:2] == (".dvc", "cache"):
            os.link(file, copy)
        else:
            shutil.copy2(file, copy)

    def left_out(folder: str, _names: list[str]) -> list[str]:
        return ["tmp"] if Path(folder) == source / ".dvc" else []  # DVC's own notes, on this folder

    shutil.copytree(source, target, symlinks=True, ignore=left_out, copy_function=put)


def resolved(tree: Path) -> dict[str, Any]:
    """Every stage of the project in `tree` as DVC resolves it: name (`gatys_stylize@main`) -> stage."""
    with Repo(str(tree)) as repo:
        return {stage.addressing.split(":")[-1]: stage for stage in repo.index.stages}


def hashes(path: Path) -> dict[str, str]:
    """SHA-256 of a file, or of every file below a folder, by name; nothing if there is nothing."""
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    return {str(file.relative_to(path.parent)): sha256(file) for file in files}


def run_queue(tree: Path) -> str:
    """Run the queued experiments of `tree`; return what `dvc queue status` says at their end."""
    dvc(tree, "queue", "start", "--jobs", "2")
    try:
        deadline = time.monotonic() + 300
        while "Queued" in (status := dvc(tree, "queue", "status")) or "Running" in status:
            assert time.monotonic() < deadline, status
            time.sleep(8)  # a look takes longer than two seconds of a core
        return status
    finally:
        dvc(tree, "queue", "stop")  # the workers live on, outside this process's reach


def main() -> int:
    """Run, say how long it took, and leave nothing behind unless asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", action="store_true", help="keep the scratch copy, to look at its figures")
    parser.add_argument("stages", nargs="*", help="stages to run (default: all)")
    options = parser.parse_args()
    folder, begin = Path(tempfile.mkdtemp(prefix="nnlab-quick-")), time.monotonic()
    try:
        copy_tree(tree := folder / ROOT.name)
        command = [sys.executable, "-m", "dvc", "repro", *(options.stages or ["--all-pipelines"])]
        code = subprocess.run(command, cwd=tree, env=environment(tree)).returncode
        print(f"quick run: exit code {code} after {time.monotonic() - begin:.0f} s")
        return code
    finally:
        if options.keep:
            print(f"kept: {folder / ROOT.name}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
