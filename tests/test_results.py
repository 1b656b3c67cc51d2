"""Metrics, tables and figures as files."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from nnlab import figures, results
from nnlab.errors import UserError


def test_metrics_are_sorted_rounded_json(tmp_path: Path) -> None:
    path = tmp_path / "metrics" / "a.json"
    results.write_metrics(path, {"b": 0.123456789, "a": {"名": np.float32(1 / 3), "n": np.int64(7)}, "c": [1e-9, 2]})
    assert path.read_text(encoding="utf-8") == (
        '{\n  "a": {\n    "n": 7,\n    "名": 0.333333\n  },\n  "b": 0.123457,\n  "c": [\n    1e-09,\n    2\n  ]\n}\n'
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float32("nan")])
def test_a_training_that_ran_away_is_no_result(tmp_path: Path, value: float) -> None:
    with pytest.raises(UserError, match=r"a\.json: a value is (NaN|Infinity): the training diverged"):
        results.write_metrics(tmp_path / "a.json", {"loss": {"train": value, "test": 1.0}, "last": [1.0, value]})
    assert not (tmp_path / "a.json").exists()


def test_a_table_has_a_header_and_rounded_numbers(tmp_path: Path) -> None:
    rows = [(1, 0.123456789, 'a, "b"'), (2, np.float32(1e-9), "名")]
    written = 'epoch,loss,class\n1,0.123457,"a, ""b"""\n2,1e-09,名\n'
    results.write_csv(tmp_path / "a.csv", pd.DataFrame(rows, columns=["epoch", "loss", "class"]))
    assert (tmp_path / "a.csv").read_bytes() == written.encode()


def test_a_figure_is_the_same_file_each_time_and_carries_no_date(tmp_path: Path) -> None:
    rows = [[np.zeros((4, 4)), np.full((4, 6, 3), 255, np.uint8)], [Image.new("RGB", (8, 4))]]
    labels = {"row_labels": ["a", "b"], "column_labels": ["1", "2"], "title": "t", "note": "a long line " * 20}
    for name in "ab":
        with figures.style():
            figures.save_figure(figures.image_grid(rows, **labels), tmp_path / f"{name}.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "RGB"
        assert image.info.keys() <= {"dpi"}


def test_labels_of_a_grid_stand_where_they_belong() -> None:
    def titles(columns: list[str]) -> list[str]:
        rows = [[np.zeros((2, 2)), np.ones((2, 2))], [np.ones((2, 2, 3))]]
        with figures.style():
            grid = figures.image_grid(rows, row_labels=["a", "b"], column_labels=columns)
        assert [axis.get_ylabel() for axis in grid.axes] == ["a", "", "b", ""]
        return [axis.get_title() for axis in grid.axes]

    assert titles(["first", "second"]) == ["first", "second", "", ""]  # over the columns
    assert titles(["first", "second", "third"]) == ["first", "second", "third", ""]  # one for each picture


def test_curves_say_which_images_were_judged() -> None:
    history = pd.DataFrame({"epoch": [1, 2], "train_loss": [0.5, 0.25], "test_loss": [0.75, 0.5]})
    with figures.style():
        axis = plt.subplots()[1]
        figures.epoch_curves(axis, history, "loss", 10_000)
    texts = [text.get_text() for text in axis.get_legend().get_texts()]
    assert texts == ["first 10,000 training images", "10,000 test images"]
    assert [line.get_ydata().tolist() for line in axis.lines] == [[0.5, 0.25], [0.75, 0.5]]
