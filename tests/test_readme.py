"""The READMEs say what is true: results from the committed metrics, files that exist, parameters that exist."""

import re

import pytest
import yaml

from tests.readme_results import READMES, ROOT, committed, here, with_results
from tests.tools import with_history


@with_history
@pytest.mark.parametrize("name", READMES)
def test_the_results_are_those_of_the_committed_metrics(name: str) -> None:
    """Of both as they are committed: `make repro` on another machine changes metrics/ in the workspace alone."""
    text = committed(name)
    assert with_results(text, committed) == text, "run: python tests/readme_results.py"


@pytest.mark.parametrize("name", READMES)
def test_every_link_leads_to_a_file(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", here(name)):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


@pytest.mark.parametrize("name", READMES)
def test_every_parameter_that_is_named_exists(name: str) -> None:
    params = yaml.safe_load(here("params.yaml"))
    text = here(name)
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
    blocks = [re.findall(r"```sh\n(.*?)```", here(name), re.DOTALL) for name in READMES]
    english, chinese = (re.sub(r"\s*#.*", "", "".join(typed)) for typed in blocks)
    assert english == chinese != ""
