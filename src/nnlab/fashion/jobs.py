"""One training as the stages run it: data from disk, progress, TensorBoard, curves."""

from dataclasses import asdict
from pathlib import Path

from nnlab.data.idx import load_split
from nnlab.fashion.evaluate import History
from nnlab.fashion.model import Network
from nnlab.fashion.train import train
from nnlab.fashion.trained import Trained
from nnlab.params import NetworkParams
from nnlab.training.device import pick_device, pick_precision
from nnlab.training.progress import Progress, log_writer


def train_and_log(name: str, data: Path, settings: NetworkParams, device: str, precision: str) -> Trained:
    """Train on the IDX files in `data`; `name` is that of the TensorBoard run."""
    target = pick_device(device)
    number = pick_precision(precision, target)
    train_split, test_split = load_split(data, "train"), load_split(data, "test")
    history = History(train_split, test_split, target, number)
    with log_writer(name) as writer, Progress(settings.epochs, name, "epoch") as bar:

        def after_epoch(epoch: int, network: Network) -> None:
            row = history.add(epoch, network)
            for key, value in asdict(row).items():
                if key != "epoch":
                    writer.add_scalar("/".join(reversed(key.split("_"))), value, epoch)  # accuracy/train ...
            bar.update(1, train_accuracy=row.train_accuracy, test_accuracy=row.test_accuracy)

        network = train(*train_split, settings, target, number, after_epoch)
    return Trained(network.cpu(), _network(settings), history.epochs)


def _network(settings: NetworkParams) -> NetworkParams:
    """The settings without the variants, where the section itself is given."""
    return NetworkParams.model_validate({key: getattr(settings, key) for key in NetworkParams.model_fields})
