"""A project's folder in which everything is trained a little, and the page over it."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import gradio_client
import pytest

from nnlab.adain import shipped
from nnlab.adain.model import DECODER_LAYERS
from nnlab.adain.weights import load_decoder, normalised, save_decoder, save_encoder
from nnlab.app import page
from nnlab.training.state import load_tensors
from stages import autoencoder_train, fashion_train, fashion_variants
from tests import quick
from tests.datasets import make_gallery, write_bars

SMALL = {
    "report.language": "en",
    "fashion.variants": {"linear": {"hidden": []}, "wide": {"hidden": [16]}},
    "autoencoder.hidden": [16], "denoiser.hidden": [16],
    **{f"{section}.{key}": value for section in ("fashion.training", "autoencoder", "denoiser")
       for key, value in {"epochs": 2, "batch_size": 30}.items()},
    "gatys.jobs": {"main": {"content": "a.png", "style": "b.png", "content_layers": ["block2_conv1"],
                            "style_layers": ["block1_conv1", "block2_conv1"]}},
    "hardware.precision": "float32",
}  # fmt: skip


class Lab(NamedTuple):
    """The folder, and the address of the page."""

    folder: Path
    address: str

    def client(self) -> gradio_client.Client:
        return gradio_client.Client(self.address, verbose=False, download_files=str(self.folder / "downloads"))


def make_lab(folder: Path) -> None:
    """Params, data sets, pictures and networks, as small as can be; the current folder is to be this one."""
    quick.write_params(folder, SMALL)
    make_gallery(folder / "data/raw/pictures")
    for name in ("mnist", "fashion_mnist"):
        write_bars(folder / f"data/raw/{name}")
    for name in ("autoencoder", "denoiser"):
        autoencoder_train.main(name, "data/raw/mnist", f"data/models/{name}/model.safetensors")
    fashion_train.main("data/raw/fashion_mnist", "data/models/fashion/model.safetensors")
    fashion_variants.main("data/raw/fashion_mnist", "data/models/fashion/variants")
    weights, decoder = normalised(shipped._plain(), load_tensors(shipped.SCALES)[0]), load_decoder(shipped.DECODER)
    save_encoder(weights, shipped.TRAINED_ENCODER, {})
    for percent in (100, 80, 50, 10):  # each darker than the one after it
        save_decoder(decoder, folder / f"data/models/adain/decoder_{percent}.safetensors", {"iteration": str(percent)})
        getattr(decoder, DECODER_LAYERS[-1][0]).bias.data -= 0.1


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_ENABLED", "NO_PROXY"):
            patch.setenv(name, "*")  # what `start` sets is undone at the end
        make_lab(folder)
        blocks, address = page.start(folder / "uploads", "127.0.0.1", None)
        yield Lab(folder, address)
        blocks.close(verbose=False)
