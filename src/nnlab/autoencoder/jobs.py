"""One training as the stages run it: data from disk, progress, TensorBoard, curves, the file."""

from pathlib import Path

from nnlab.autoencoder.model import Autoencoder
from nnlab.autoencoder.train import History, train
from nnlab.autoencoder.trained import save
from nnlab.data.idx import load_split, unit
from nnlab.params import AutoencoderParams
from nnlab.training.device import pick_device, pick_precision
from nnlab.training.progress import Progress, log_writer


def train_and_save(name: str, data: Path, settings: AutoencoderParams, device: str, precision: str, path: Path) -> None:
    """Train on the IDX files in `data` and write `path`; `name` is that of the TensorBoard run."""
    target = pick_device(device)
    images, test_images = (unit(load_split(data, split)[0]).flatten(1) for split in ("train", "test"))
    history = History(images, test_images, settings)
    with log_writer(name) as writer, Progress(settings.epochs, name, "epoch") as bar:

        def after_epoch(epoch: int, model: Autoencoder) -> None:
            row = history.add(epoch, model)
            writer.add_scalar("bce/train", row.train_loss, epoch)
            writer.add_scalar("bce/test", row.test_loss, epoch)
            bar.update(1, train_loss=row.train_loss, test_loss=row.test_loss)

        model = train(images, settings, target, pick_precision(precision, target), after_epoch)
    save(path, model, settings, history.epochs)
