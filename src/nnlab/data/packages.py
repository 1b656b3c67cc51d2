"""Files that other installed packages carry."""

import importlib.util
from pathlib import Path


def installed_file(package: str, path: str) -> Path | None:
    """The file at `path` in an installed package, None if it is not there; none of the package's code runs."""
    spec = importlib.util.find_spec(package)
    folders = (spec.submodule_search_locations or []) if spec else []
    return next((Path(folder, path) for folder in folders if Path(folder, path).is_file()), None)
