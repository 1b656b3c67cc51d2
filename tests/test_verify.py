"""The committed results against those in the workspace."""

import json
import subprocess
from pathlib import Path

import pytest

from nnlab import verify
from nnlab.errors import UserError
from nnlab.verify import DIFFERENT, EQUAL, MISSING, NEW, WITHIN, table


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with committed results."""
    write(tmp_path, "metrics/a.json", json.dumps({"accuracy": 0.88, "per": {"cat": 0.5}, "seed": 1, "note": "x"}))
    write(tmp_path, "plots/a/图.csv", "epoch,loss\n1,2.0\n2,0.5\n")
    write(tmp_path, "plots/a/confusion.csv", "actual,predicted\n" + "cat,cat\n" * 98 + "dog,dog\n" * 2)
    write(tmp_path, "plots/a/ignored.txt", "x")
    write(tmp_path, ".gitignore", "metrics/timings.json\n")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text, encoding="utf-8")


def verdict(name: str) -> tuple[str, str]:
    found = {v.name: v for v in verify.verify()}[name]
    return found.verdict, found.worst


def test_a_fresh_clone_is_equal(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert {v.name: (v.verdict, v.values) for v in verify.verify()} == {
        "metrics/a.json": (EQUAL, 4),
        "plots/a/confusion.csv": (EQUAL, 200),
        "plots/a/图.csv": (EQUAL, 4),
    }
    assert verify.main() == 0
    assert capsys.readouterr().out.endswith("\n3 equal\n")


@pytest.mark.parametrize(
    ("values", "expected", "worst"),
    [
        ({"accuracy": 0.887, "per": {"cat": 0.5}, "seed": 1, "note": "x"}, WITHIN, "accuracy"),
        ({"accuracy": 0.84, "per": {"cat": 0.501}, "seed": 1, "note": "x"}, DIFFERENT, "accuracy"),
        ({"accuracy": 0.88, "per": {"cat": 0.5}, "seed": 2, "note": "x"}, DIFFERENT, "seed"),
        ({"accuracy": 0.88, "per": {}, "seed": 1, "note": "x"}, DIFFERENT, "per.cat"),
        ({"accuracy": 0.88, "per": {"cat": 0.5}, "seed": 1, "note": "y"}, DIFFERENT, "note"),
        ({"accuracy": 0.88, "per": {"cat": 0.5}, "seed": 1, "note": "x", "more": 1}, DIFFERENT, "more"),
        ({"accuracy": "high", "per": {"cat": 0.5}, "seed": 1, "note": "x"}, DIFFERENT, "accuracy"),
    ],
)
def test_metrics_are_compared_number_by_number(project: Path, values: dict, expected: str, worst: str) -> None:
    write(project, "metrics/a.json", json.dumps(values))
    assert verdict("metrics/a.json") == (expected, worst)


def test_another_layout_of_the_same_values_is_equal(project: Path) -> None:
    write(project, "metrics/a.json", json.dumps({"seed": 1, "note": "x", "per": {"cat": 0.5}, "accuracy": 0.88}))
    assert verdict("metrics/a.json") == (EQUAL, "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("epoch,loss\n1,2.0\n2,0.85\n", WITHIN),  # 0.35 in one of two rows of a column whose largest number is 2
        ("epoch,loss\n1,2.0\n2,0.95\n", DIFFERENT),
        ("epoch,loss\n1,2.0\n2.0001,0.5\n", DIFFERENT),  # whole numbers are equal or not
        ("epoch,loss\n1,2.0\n", DIFFERENT),
        ("epoch,error\n1,2.0\n2,0.5\n", DIFFERENT),
        ("epoch,loss\n1,2.0\n2\n", DIFFERENT),
        ("epoch,loss\n1,2.0\n2,nan\n", DIFFERENT),
        ("", DIFFERENT),
    ],
)
def test_tables_are_compared_column_by_column(project: Path, text: str, expected: str) -> None:
    write(project, "plots/a/图.csv", text)
    assert verdict("plots/a/图.csv")[0] == expected


@pytest.mark.parametrize(("dogs", "expected"), [(3, WITHIN), (5, WITHIN), (6, DIFFERENT)])
def test_of_words_a_small_share_may_differ(project: Path, dogs: int, expected: str) -> None:
    rows = ["cat,cat"] * (98 - (dogs - 2)) + ["cat,dog"] * (dogs - 2) + ["dog,dog"] * 2
    write(project, "plots/a/confusion.csv", "\n".join(["actual,predicted", *rows]) + "\n")
    assert verdict("plots/a/confusion.csv") == (expected, "predicted")


@pytest.mark.parametrize(
    ("name", "now", "expected"),
    [
        ("train_accuracy", 0.108, WITHIN),
        ("learning_rate", 0.108, DIFFERENT),
        ("bce", 0.103, WITHIN),
        ("bce", 0.104, DIFFERENT),
    ],
)
def test_small_numbers_are_compared_by_their_share_and_accuracies_by_a_point(
    tmp_path: Path, name: str, now: float, expected: str
) -> None:
    write(tmp_path, "plots/new.csv", f"{name}\n{now}\n")
    assert verify.compare_file("new.csv", f"{name}\n0.1\n", tmp_path / "plots/new.csv").verdict == expected


@pytest.mark.parametrize(("name", "before", "now"), [("iterations", 10000, 9750), ("seed", 100, 103), ("images", 0, 1)])
@pytest.mark.parametrize(("ending", "text"), [("json", '{{"{}": {}}}'), ("csv", "{}\n{}\n")])
def test_whole_numbers_must_be_equal(tmp_path: Path, name: str, before: int, now: int, ending: str, text: str) -> None:
    write(tmp_path, f"now.{ending}", text.format(name, now))
    found = verify.compare_file(f"now.{ending}", text.format(name, before), tmp_path / f"now.{ending}")
    assert (found.verdict, found.worst) == (DIFFERENT, name)


def test_a_table_without_rows_is_compared(tmp_path: Path) -> None:
    write(tmp_path, "now.csv", "epoch,loss\n")
    assert verify.compare_file("now.csv", "epoch,loss\n", tmp_path / "now.csv").verdict == EQUAL
    assert verify.compare_file("now.csv", "epoch,rate\n", tmp_path / "now.csv").worst == "loss"


def test_missing_damaged_and_new_results_are_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "plots/a/图.csv").unlink()
    write(project, "metrics/a.json", '{"accuracy": 0.8')
    write(project, "plots/b/new.csv", "a\n1\n")
    write(project, "metrics/timings.json", "{}")
    assert verdict("plots/a/图.csv")[0] == MISSING
    assert verdict("metrics/a.json")[0] == DIFFERENT
    assert verdict("plots/b/new.csv")[0] == NEW
    assert "metrics/timings.json" not in {v.name for v in verify.verify()}
    assert verify.main() == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("metrics/a.json")
    assert lines[-1] == "1 different, 1 missing, 1 not committed, 1 equal"


def test_without_a_repository_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(UserError, match="cannot read the committed results") as caught:
        verify.verify(tmp_path)
    assert "\n" not in str(caught.value)


def test_nothing_committed_is_nothing_to_compare() -> None:
    assert table([]).endswith("nothing to compare: no results are committed")
