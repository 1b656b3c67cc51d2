from pathlib import Path

import pytest

from nnlab.errors import UserError
from nnlab.report.build import TASKS, speaker
from nnlab.report.document import Context
from nnlab.report.excerpts import excerpt
from tests.report import samples

PACKAGE = Path(__file__).resolve().parents[2] / "src/nnlab"
SOURCE = '''raise RuntimeError("must not run")


@decorated
def first(x):
    """Docstring
    of two lines."""

    # 注释
    return x


class Thing:
    """About it."""

    def second(self):
        """Only a docstring."""

    def third(self):
        """A line."""
        return first(self)
'''


@pytest.fixture
def source(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b.py").write_text(SOURCE, encoding="utf-8")
    return tmp_path


def test_a_function_is_cut_without_its_docstring_and_without_running_the_file(source):
    cut = excerpt(source, "a/b.py", "first")
    assert cut.text == "@decorated\ndef first(x):\n    # 注释\n    return x"
    assert cut.line == 4


def test_a_method_is_dedented(source):
    assert excerpt(source, "a/b.py", "Thing.third").text == "def third(self):\n    return first(self)"


def test_a_class_keeps_methods_that_are_a_docstring_alone(source):
    text = excerpt(source, "a/b.py", "Thing").text
    assert text.startswith("class Thing:\n    def second(self):")
    compile(text, "excerpt", "exec")


@pytest.mark.parametrize(("file", "name"), [("a/b.py", "fourth"), ("a/b.py", "Thing.first"), ("a/c.py", "first")])
def test_what_is_missing_is_an_error_that_names_it(source, file, name):
    with pytest.raises(UserError, match=name):
        excerpt(source, file, name)


def test_source_that_is_no_python_is_an_error(source):
    (source / "a/b.py").write_text("def (", encoding="utf-8")
    with pytest.raises(UserError, match="cannot be read as Python"):
        excerpt(source, "a/b.py", "first")


def test_everything_that_the_report_quotes_is_there_and_short_enough_to_read(run):
    context = Context(samples.Params().model_dump(), samples.inputs(run), speaker("en"))
    for task in TASKS:
        for quote in task(context).quotes:
            text = excerpt(PACKAGE, quote.file, quote.name).text
            compile(text, quote.file, "exec")
            assert text.count("\n") < 60, f"{quote.file}: {quote.name} is too long to quote"
