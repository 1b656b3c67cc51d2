"""784-128-10 on Fashion-MNIST, five epochs: our training beside a plain torchvision loop and scikit-learn's.

    python benchmarks/fashion_training.py [--data data/raw/fashion_mnist] [--rounds 3]

Same data, network, epochs and batch size, in turns, from the files on. The peers do not judge after each epoch, so ours
judges one image.
"""

import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from measure import arguments, row, show
from run import ROOT
from sklearn.neural_network import MLPClassifier
from torch import nn
from torch.utils.data import DataLoader
from torchvision.datasets import FashionMNIST
from torchvision.transforms import ToTensor

from nnlab.data.idx import load_split
from nnlab.fashion.train import accuracy, predict, prepare
from nnlab.params import load_params
from nnlab.training.device import pick_precision
from nnlab.training.loop import fit

SETTINGS = load_params(ROOT / "params.yaml").fashion.main
CPU = torch.device("cpu")
Result = tuple[float, float]  # seconds of training, test accuracy in %


def ours(data: Path, seed: int) -> Result:
    """The project's training with the committed parameters."""
    settings, precision = SETTINGS.model_copy(update={"seed": seed}), pick_precision("auto", CPU)
    images, labels = load_split(data, "test")
    begin = time.perf_counter()
    network, _ = fit(prepare, load_split(data, "train"), (images[:1], labels[:1]), settings, CPU, precision)
    seconds = time.perf_counter() - begin
    return seconds, 100 * accuracy(predict(network, images, precision), labels)


def torchvision_loop(workers: int, data: Path, seed: int) -> Result:
    """The loop of the tutorials: Dataset + ToTensor + DataLoader, Adam with its default rate."""
    torch.manual_seed(seed)
    with TemporaryDirectory() as root:
        (Path(root) / "FashionMNIST").mkdir()
        (Path(root) / "FashionMNIST/raw").symlink_to(data.resolve())
        begin = time.perf_counter()
        train = FashionMNIST(root, train=True, transform=ToTensor())
        loader = DataLoader(train, SETTINGS.batch_size, shuffle=True, num_workers=workers)
        network = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
        optimizer, criterion = torch.optim.Adam(network.parameters()), nn.CrossEntropyLoss()
        for _ in range(SETTINGS.epochs):
            for images, labels in loader:
                optimizer.zero_grad()
                criterion(network(images), labels).backward()
                optimizer.step()
        seconds = time.perf_counter() - begin
        test, right = FashionMNIST(root, train=False, transform=ToTensor()), 0
        with torch.no_grad():
            for images, labels in DataLoader(test, 1000):
                right += int((network(images).argmax(1) == labels).sum())
    return seconds, 100 * right / len(test)


def sklearn_mlp(data: Path, seed: int) -> Result:
    """scikit-learn's MLPClassifier."""
    begin = time.perf_counter()
    images, labels = load_split(data, "train")
    network = MLPClassifier((128,), batch_size=SETTINGS.batch_size, max_iter=SETTINGS.epochs, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "not converged": five epochs are what was asked for
        network.fit(images.flatten(1).numpy().astype("float32") / 255, labels.numpy())
    seconds = time.perf_counter() - begin
    images, labels = load_split(data, "test")
    return seconds, 100 * float(network.score(images.flatten(1).numpy().astype("float32") / 255, labels.numpy()))


def main() -> None:
    """Measure in turns and print."""
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, default=ROOT / "data/raw/fashion_mnist", help="the four IDX files")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    sides: dict[str, Callable[[Path, int], Result]] = {
        "ours": ours,
        "torchvision `DataLoader`": partial(torchvision_loop, 0),
        "the same, `num_workers=2`": partial(torchvision_loop, 2),
        "scikit-learn": sklearn_mlp,
    }
    results: dict[str, list[Result]] = {side: [] for side in sides}
    for seed in range(1, options.rounds + 1):
        for side, train in sides.items():
            results[side].append(train(options.data, seed))
            print(f"round {seed}: {side}: {results[side][-1][0]:.1f} s", file=sys.stderr, flush=True)
    own, *peers = ((side, *zip(*found)) for side, found in results.items())
    precision = pick_precision("auto", CPU)
    rows = [row(f"{SETTINGS.epochs} epochs, s", own[1], seconds, side, precision) for side, seconds, _ in peers]
    rows += [row("test accuracy / %", own[2], right, side, precision) for side, _, right in peers]
    show(rows)


if __name__ == "__main__":
    main()
