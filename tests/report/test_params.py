import pytest

from nnlab.errors import UserError
from nnlab.params import ReportParams
from nnlab.report.build import assigned_alpha, placeholders
from nnlab.sections import parse

GOOD = {"name": "张三", "student_id": "20230101", "course": "深度学习", "language": "zh"}


def parsed(**values):
    return parse({**GOOD, **values}, ReportParams, "report")


@pytest.mark.parametrize("name", ["张三", "买买提·艾力", "Li Ming", "O'Brien", "José", ""])
def test_real_names_are_taken(name):
    assert parsed(name=name).name == name


@pytest.mark.parametrize(
    "name", ["a/b", "..", "a\\b", 'a"b', "$(ls)", "`ls`", "a\nb", " a", "-rf", "x" * 91, "a\u202eb"]
)
def test_a_name_that_no_file_can_have_is_one_line(name):
    with pytest.raises(UserError, match=r"report: name = ") as error:
        parsed(name=name)
    assert "\n" not in str(error.value)


def test_a_number_without_quotes_is_a_student_id():
    assert parsed(student_id=20230101).student_id == "20230101"


@pytest.mark.parametrize("value", [True, 1.5, None, ["1"]])
def test_other_types_are_not(value):
    with pytest.raises(UserError, match="student_id"):
        parsed(student_id=value)


def test_an_unknown_language_says_which_there_are():
    with pytest.raises(UserError, match="'zh' or 'en'"):
        parsed(language="fr")


@pytest.mark.parametrize(
    ("student_id", "alpha"),
    [
        ("20230102", (0.3, 0.6, 0.9)),
        ("20230100", (0.3, 0.6, 0.9)),
        ("20230101", (0.2, 0.5, 0.8)),
        ("2023019X", (0.2, 0.5, 0.8)),
        ("学号", None),
        ("", None),
    ],
)
def test_the_last_digit_decides_on_alpha(student_id, alpha):
    assert assigned_alpha(student_id) == alpha


def test_placeholders_are_found():
    assert placeholders(parsed(name="姓名", student_id="")) == ["report.name", "report.student_id"]
    assert placeholders(parsed()) == []
