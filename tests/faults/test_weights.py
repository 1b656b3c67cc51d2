"""Weight files that are pickles with code in them: refused in one line by every reader, and nothing of them runs."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from nnlab.errors import UserError

pytestmark = pytest.mark.faults


class Evil:
    """Unpickling this makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.folder),)


def readers() -> dict[str, Callable[[Path], object]]:
    from nnlab.adain.weights import load_decoder, load_encoder
    from nnlab.training.state import load_tensors
    from nnlab.vgg_weights import read_weights

    return {"weights": read_weights, "encoder": load_encoder, "decoder": load_decoder, "tensors": load_tensors}


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".bin", ".safetensors"])
@pytest.mark.parametrize("form", ["pickle", "zip", "legacy", "nested"])
@pytest.mark.parametrize("reader", ["weights", "encoder", "decoder", "tensors"])
def test_a_pickle_that_runs_code_is_refused(tmp_path: Path, reader: str, form: str, suffix: str) -> None:
    path = tmp_path / f"weights{suffix}"
    evil = Evil(tmp_path / "owned")
    if form == "pickle":
        path.write_bytes(pickle.dumps(evil))
    elif form == "nested":
        torch.save({"block1_conv1.weight": torch.zeros(64, 3, 3, 3), "mean": [{"a": evil}]}, path)
    else:
        torch.save({"0.weight": evil}, path, _use_new_zipfile_serialization=form == "zip")
    with pytest.raises(UserError) as caught:
        readers()[reader](path)
    assert not (tmp_path / "owned").exists()
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
