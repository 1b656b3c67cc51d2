import pytest

from tests.report import samples


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A made-up run that the report's tests share: folder with metrics, plots and data. None of them changes it."""
    return samples.make(tmp_path_factory.mktemp("run"))
