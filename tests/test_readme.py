"""The READMEs say what is true: results from the committed metrics, files that exist, parameters that exist."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.readme_results import READMES, ROOT, committed, with_table


def has_history() -> bool:
    """Whether the project is a git repository of its own, with a commit: a copy without .git may lie in another one."""
    command = ["git", "rev-parse", "--verify", "--quiet", "HEAD"]
    return (ROOT / ".git").exists() and subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 0


@pytest.mark.skipif(not has_history(), reason="needs the project's git history: the committed metrics")
@pytest.mark.parametrize("name", READMES)
def test_the_results_are_those_of_the_committed_metrics(name: str) -> None:
    """Of both as they are committed: `make repro` on another machine changes metrics/ in the workspace alone."""
    text = committed(name)
    assert with_table(text, ".zh." in name, committed) == text, "run: python tests/readme_results.py"


@pytest.mark.skipif(not has_history(), reason="needs the project's git history: the committed metrics")
@pytest.mark.parametrize("path", sorted((ROOT / "metrics").glob("*.json")), ids=lambda path: path.stem)
def test_the_results_of_this_machine_are_those_committed_within_a_tolerance(path: Path) -> None:
    """docs/reproducibility.md says where the tolerance comes from; a run with other parameters tells nothing."""
    try:
        before, now = json.loads(committed(f"metrics/{path.name}")), json.loads(path.read_text(encoding="utf-8"))
    except subprocess.CalledProcessError:
        pytest.skip("not committed")
    if committed("params.yaml") != (ROOT / "params.yaml").read_text(encoding="utf-8"):
        pytest.skip("params.yaml is not that of the committed run")
    before, now = dict(leaves(before)), dict(leaves(now))
    assert before.keys() == now.keys()
    for key, value in before.items():
        if isinstance(value, float):
            near = {"abs": 0.03} if "accuracy" in key or "per_class" in key else {"rel": 0.1}
            assert now[key] == pytest.approx(value, **near), key
        else:
            assert now[key] == value, key


def leaves(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{key}.{name}")
    else:
        yield key, value


@pytest.mark.parametrize("name", READMES)
def test_every_link_leads_to_a_file(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / name).read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


@pytest.mark.parametrize("name", READMES)
def test_every_parameter_that_is_named_exists(name: str) -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    text = (ROOT / name).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:%s)(?:\.[a-z_]+)+)[`:=]" % "|".join(params), text))  # noqa: UP031
    named |= set(re.findall(r"-S '?([a-z_.]+)=", text))
    assert named
    for dotted in named:
        section = params
        for key in dotted.split("."):
            assert key in section, f"{name} names {dotted}"
            section = section[key]


def test_both_languages_have_the_same_commands() -> None:
    """What is typed must be the same, comments aside."""
    english, chinese = (
        [
            re.sub(r"\s*#.*", "", line)
            for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
            for line in block.splitlines()
        ]
        for text in ((ROOT / name).read_text(encoding="utf-8") for name in READMES)
    )
    assert english == chinese
