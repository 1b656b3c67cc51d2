"""The results in the workspace are those of the last commit, as far as another machine or precision lets them be.

docs/reproducibility.md has the differences that were measured; with other parameters or pictures there is nothing to
compare.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOLERANCE = 0.1  # of a number; two whole runs on machines of another kind were up to 0.073 apart


def flat(value: Any, key: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {key: value}
    return {name: found for inner, below in value.items() for name, found in flat(below, f"{key}.{inner}").items()}


def committed(name: str) -> str:
    result = subprocess.run(["git", "show", f"HEAD:{name}"], cwd=ROOT, capture_output=True)
    if result.returncode:
        pytest.skip(f"{name} is not committed")
    return result.stdout.decode("utf-8")


@pytest.mark.parametrize("name", sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("metrics/*.json")))
def test_metrics_are_within_tolerance_of_the_committed_ones(name: str) -> None:
    if committed("params.yaml") != (ROOT / "params.yaml").read_text(encoding="utf-8"):
        pytest.skip("params.yaml was changed")
    before, now = flat(json.loads(committed(name))), flat(json.loads((ROOT / name).read_text(encoding="utf-8")))
    assert before.keys() == now.keys()
    words = [key for key, value in before.items() if isinstance(value, str)]
    if any(before[key] != now[key] for key in words):
        pytest.skip("other pictures: the assignment's pair was reached in one of the two runs")
    for key, value in before.items():
        expected = pytest.approx(value, rel=TOLERANCE, abs=1e-9) if isinstance(value, float) else value
        assert now[key] == expected, f"{name}: {key}"
