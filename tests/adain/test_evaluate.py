"""The curves of a training, as the evaluation reads them."""

from pathlib import Path

import pytest

from nnlab.adain.evaluate import _history
from nnlab.errors import UserError

WHOLE = "iteration,content_loss,style_loss,learning_rate\n50,3.5,2.5,0.0001\n100,3.25,2.25,0.0001\n"


def test_whole_curves_are_read(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_text(WHOLE)
    assert _history(path, 100).content_loss.tolist() == [3.5, 3.25]


@pytest.mark.parametrize("text", [WHOLE[:70], WHOLE.partition("\n")[0], "", "no curves"])
def test_curves_that_end_early_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "history.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=r"history\.csv: not the training's curves .*; run `dvc repro -f adain_train`"):
        _history(path, 100)
