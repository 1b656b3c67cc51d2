"""The graph itself: paths, parameters, dependencies on code, import direction, one whole run."""

import ast
import json
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml

from tests import quick

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src/nnlab"
FOUNDATIONS = {"data", "training"}  # the other folders are experiments and the report
EXPERIMENTS = {path.parent.name for path in PACKAGE.glob("*/__init__.py")} - FOUNDATIONS
# Modules that carry a run but cannot change its results: a stage need not depend on them.
PLUMBING = {
    "errors",
    "files",
    "params",
    "sections",
    "stage",
    "training.progress",
    "data.download",
    "data.fetch",
    "data.sources",
    "data.hub",
    "data.packages",
}
UNTRACKED = ("hardware.", "sources.", "adain.run.")  # how to compute and where to fetch do not change what comes out


@cache
def stages() -> dict:
    """Every stage of the graph as DVC resolves it: name -> stage."""
    from dvc.repo import Repo

    with Repo(str(ROOT)) as repo:
        return {stage.addressing.split(":")[-1]: stage for stage in repo.index.stages}


def stage_names() -> list[str]:
    """Names for parametrised tests, read without starting DVC: foreach groups stand for their stages."""
    files = (ROOT / "dvc.yaml", ROOT / "report/dvc.yaml")
    return sorted(name for file in files for name in yaml.safe_load(file.read_text(encoding="utf-8"))["stages"])


def paths(items) -> set[str]:
    return {item.def_path for item in items}


def covers(declared: set[str], path: str) -> bool:
    """Whether `path` or a folder above it is declared."""
    return any(path == known or path.startswith(f"{known}/") for known in declared)


def test_every_path_in_a_command_is_declared() -> None:
    for name, stage in stages().items():
        script, *arguments = shlex.split(stage.cmd)[1:]
        declared = paths(stage.deps) | paths(stage.outs)
        assert covers(paths(stage.deps), script), f"{name} does not depend on its own script"
        for argument in arguments:
            if "/" in argument:
                found = argument in declared or any(path.startswith(f"{argument}/") for path in declared)
                assert found, f"{name}: {argument} is in cmd but neither a dep nor an out, nor a folder of some"


def test_a_stage_is_named_after_its_script() -> None:
    for name, stage in stages().items():
        assert shlex.split(stage.cmd)[1] == f"stages/{name.split('@')[0]}.py"


def test_every_script_is_a_stage() -> None:
    scripts = {path.stem for path in (ROOT / "stages").glob("*.py")}
    assert scripts == {name.split("@")[0] for name in stages()}


def test_reports_are_in_git_and_data_in_the_cache() -> None:
    for name, stage in stages().items():
        for out in stage.outs:
            if out.def_path.startswith(("metrics/", "plots/")):
                assert not out.use_cache, f"{name}: {out.def_path} must be `cache: false`, git shows it"
                assert not name.split("@")[0].endswith("_train"), f"{name}: an uncached out turns off the run cache"
            else:
                assert out.use_cache, f"{name}: {out.def_path} must be cached"


def test_every_parameter_is_tracked_by_a_stage() -> None:
    tracked = {
        key
        for name, stage in stages().items()
        for dep in stage.deps
        for key in getattr(dep, "params", [])
        if not name.startswith("report_") or key == "report"  # reports print every section, which proves nothing
    }
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    for leaf in leaves(params):
        if not leaf.startswith(UNTRACKED):
            covered = any(leaf == key or leaf.startswith(f"{key}.") for key in tracked)
            assert covered, f"no stage depends on {leaf}"


def leaves(values: dict, prefix: str = "") -> list[str]:
    found = []
    for key, value in values.items():
        found += leaves(value, f"{prefix}{key}.") if isinstance(value, dict) and value else [f"{prefix}{key}"]
    return found


def imports(path: Path) -> set[str]:
    """Dotted names below `nnlab` that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nnlab"):
            below = node.module.removeprefix("nnlab").lstrip(".")
            found |= {
                f"{below}.{a.name}".lstrip(".") if module_file(f"{below}.{a.name}") else below for a in node.names
            }
        elif isinstance(node, ast.Import):
            found |= {a.name.removeprefix("nnlab.") for a in node.names if a.name.startswith("nnlab.")}
    return found


def module_file(dotted: str) -> Path | None:
    base = PACKAGE / dotted.strip(".").replace(".", "/")
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


def used_modules(script: Path) -> set[str]:
    """The package's modules that a stage script uses, directly or through others; plumbing is left out.

    Of a fetch stage only what it imports itself: what it brings is checked by its SHA-256, whoever reads it on the way.
    """
    seen, todo = set(), list(imports(script))
    while todo:
        dotted = todo.pop()
        if dotted in seen or dotted in PLUMBING:
            continue
        seen.add(dotted)
        if not script.name.startswith("fetch_") and (file := module_file(dotted)):
            todo += imports(file)
    return seen


def test_committed_results_are_those_of_the_committed_code_and_parameters() -> None:
    """Fails from a change of code or parameters until `make repro` has run and dvc.lock is committed with it."""
    from dvc.repo import Repo

    if subprocess.run(["git", "rev-parse", "--quiet", "--verify", "HEAD"], cwd=ROOT, capture_output=True).returncode:
        pytest.skip("needs the project's git history")
    stale: dict[str, list] = {}
    with Repo(str(ROOT)) as repo:
        for stage in repo.index.stages:
            for dep in stage.deps:
                tracked = getattr(dep, "params", None) or dep.def_path.startswith(("src/", "stages/"))
                if tracked and (changed := dep.status()):
                    stale.setdefault(stage.addressing, []).append(changed)
    assert not stale, f"make repro, then commit dvc.lock: {json.dumps(stale, ensure_ascii=False, indent=1)}"


@pytest.mark.parametrize("name", stage_names())
def test_a_stage_depends_on_the_code_that_it_uses(name: str) -> None:
    for address, stage in stages().items():
        if address.split("@")[0] != name:
            continue
        declared = {path.removesuffix(".py") for path in paths(stage.deps)}
        for module in used_modules(ROOT / f"stages/{name}.py"):
            path = f"src/nnlab/{module.replace('.', '/')}"
            if name.endswith("_train") and module == "results":
                continue  # it writes the curves; a change of the reports must not train again
            if name == "adain_train" and module in ("adain.choice", "data.gallery", "data.works"):
                continue  # it only checks what later stages will draw
            assert covers(declared, path), f"{address} uses {path} but does not depend on it"


def test_imports_go_one_way() -> None:
    for file in PACKAGE.rglob("*.py"):
        inside = file.relative_to(PACKAGE).parts
        own = inside[0] if len(inside) > 1 else ""
        if inside == ("cli.py",):
            continue  # the one that puts the experiments together
        for module in imports(file):
            other = module.split(".")[0]
            if other in EXPERIMENTS:
                assert own == other, f"{file.relative_to(ROOT)} imports the experiment {module}"


@pytest.mark.slow
def test_importing_a_module_does_nothing(tmp_path: Path) -> None:
    names = [".".join(p.relative_to(ROOT / "src").with_suffix("").parts) for p in PACKAGE.rglob("*.py")]
    modules = sorted(name.removesuffix(".__init__") for name in names if not name.endswith("__main__"))
    code = "import importlib\nfor name in %r: importlib.import_module(name)\n" % (modules,)  # noqa: UP031
    code += "import torch, random; print(torch.initial_seed(), end='')"
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True,
                            env=quick.environment(ROOT))  # fmt: skip
    assert re.fullmatch(r"\d+", result.stdout), f"an import printed: {result.stdout[:200]}"
    assert not list(tmp_path.iterdir()), "an import wrote files"


@pytest.mark.parametrize("stage", sorted(p.stem for p in (ROOT / "stages").glob("*.py")))
def test_a_stage_script_is_thin_and_starts_without_torch(stage: str) -> None:
    lines = (ROOT / f"stages/{stage}.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 60, f"{len(lines)} lines: move work into the library"
    body = ast.parse("\n".join(lines)).body
    top = {alias.name for node in body if isinstance(node, ast.Import) for alias in node.names}
    assert not top & {"torch", "numpy", "matplotlib"}


@pytest.mark.slow
class TestWholeRun:
    """One run of everything at reduced settings."""

    def test_every_stage_ran(self, quick_run: quick.QuickRun) -> None:
        ran = {name.split(":")[-1] for name in re.findall(r"Running stage '([^']+)'", quick_run.output)}
        assert ran == set(stages())

    def test_a_second_run_executes_nothing(self, quick_run: quick.QuickRun) -> None:
        result = quick.repro(quick_run.tree)
        assert result.returncode == 0
        assert "Running stage" not in result.stdout

    def test_every_declared_result_is_there_and_whole(self, quick_run: quick.QuickRun) -> None:
        tree = quick_run.tree
        for stage in stages().values():
            for out in stage.outs:
                path = tree / out.def_path
                assert path.exists()
                if path.suffix == ".json":
                    assert json.loads(path.read_text(encoding="utf-8"))

    def test_the_workspace_is_left_as_it_was(self, quick_run: quick.QuickRun) -> None:
        before, after = quick_run.workspace_before, quick_run.workspace_after
        assert before["git status"] == after["git status"]
        assert before == after


def test_a_path_that_a_user_names_is_quoted_in_the_command() -> None:
    """Photos are called `my photo (1).jpg`."""
    text = (ROOT / "dvc.yaml").read_text(encoding="utf-8")
    commands = re.findall(r"cmd:(.*?)\n\s+deps:", text, re.DOTALL)
    named = [match for command in commands for match in re.findall(r".\$\{item\.\w+\}.", command)]
    assert len(named) >= 2
    assert all(match[0] == match[-1] == '"' for match in named), named
