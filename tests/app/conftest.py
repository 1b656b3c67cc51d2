"""A project's folder in which everything is trained a little, and the page over it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import gradio_client
import pytest

from nnlab.adain import shipped
from nnlab.adain.weights import load_decoder, save_decoder
from nnlab.app import page
from nnlab.autoencoder import train as autoencoder
from nnlab.fashion import train as fashion
from nnlab.params import load_params
from nnlab.training.loop import train_and_save
from tests import quick
from tests.datasets import bars, make_gallery, photo, write_bars

SMALL = {
    "report.language": "en",
    "fashion.variants": {"linear": {"hidden": []}, "wide": {"hidden": [16]}},
    **{f"fashion.{key}": value for key, value in {"training.epochs": 2, "training.batch_size": 30}.items()},
    **{f"{name}.{key}": value for name in ("autoencoder", "denoiser")
       for key, value in {"hidden": [16], "epochs": 2, "batch_size": 30}.items()},
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
    shutil.copy(quick.ROOT / "params.yaml", folder)
    quick.override(folder / "params.yaml", SMALL)
    params = load_params()
    make_gallery(folder / "data/raw/pictures")
    for seed, file in enumerate(sorted((folder / "data/raw/pictures/paintings/held_out").iterdir())):
        photo(seed, (48, 36)).save(file)
    for name in ("mnist", "fashion_mnist"):
        write_bars(folder / f"data/raw/{name}")
    train, test = bars(300, 1), bars(100, 2)
    networks = {f"{name}/model": (autoencoder, getattr(params, name)) for name in ("autoencoder", "denoiser")}
    networks |= {"fashion/model": (fashion, params.fashion.main)}
    networks |= {f"fashion/variants/{name}": (fashion, sizes) for name, sizes in params.fashion.variants.items()}
    for name, (experiment, settings) in networks.items():
        file = folder / f"data/models/{name}.safetensors"
        train_and_save(name, experiment.prepare, train, test, settings, params.hardware, file)
    for percent in (10, 50, 80, 100):
        decoder = folder / f"data/models/adain/decoder_{percent}.safetensors"
        save_decoder(load_decoder(shipped.DECODER), decoder, {"iteration": str(percent)})


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_ENABLED", "NO_PROXY"):
            patch.setenv(name, "")  # what `start` sets is undone at the end
        make_lab(folder)
        blocks, address = page.start(folder / "uploads", "127.0.0.1", None)
        yield Lab(folder, address)
        blocks.close(verbose=False)
