"""784-128-10 on Fashion-MNIST, five epochs: our training beside a plain torchvision loop and scikit-learn.

Same data, network, epochs and batch size, one process after the other, in turn. Prints a markdown table of medians.
Run: `python benchmarks/fashion_training.py data/raw/fashion_mnist [--rounds 5]`.
"""

import argparse
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

Result = tuple[float, float]  # seconds of training, test accuracy


def ours(data: Path, seed: int) -> Result:
    """The project's training with the committed parameters, from the files on."""
    import torch

    from nnlab.data.idx import load_split
    from nnlab.fashion.train import accuracy, predict, prepare
    from nnlab.params import load_params
    from nnlab.training.device import pick_precision
    from nnlab.training.loop import fit

    settings = load_params(ROOT / "params.yaml").fashion.main.model_copy(update={"seed": seed})
    device = torch.device("cpu")
    precision = pick_precision("auto", device)
    images, labels = load_split(data, "test")
    begin = time.perf_counter()
    one = (images[:1], labels[:1])  # the peers do not judge after each epoch
    network, _ = fit(prepare, load_split(data, "train"), one, settings, device, precision)
    seconds = time.perf_counter() - begin
    return seconds, accuracy(predict(network, images, precision), labels)


def torchvision_loop(data: Path, seed: int, workers: int = 0) -> Result:
    """The loop of the tutorials: Dataset + ToTensor + DataLoader, Adam with its default rate."""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader
    from torchvision.datasets import FashionMNIST
    from torchvision.transforms import ToTensor

    epochs, batch_size = shape()
    torch.manual_seed(seed)
    with tempfile.TemporaryDirectory() as root:
        (Path(root) / "FashionMNIST").mkdir()
        (Path(root) / "FashionMNIST/raw").symlink_to(data.resolve())
        begin = time.perf_counter()
        loader = DataLoader(
            FashionMNIST(root, train=True, transform=ToTensor()), batch_size, shuffle=True, num_workers=workers
        )
        network = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
        optimizer, criterion = torch.optim.Adam(network.parameters()), nn.CrossEntropyLoss()
        for _ in range(epochs):
            for images, labels in loader:
                optimizer.zero_grad()
                criterion(network(images), labels).backward()
                optimizer.step()
        seconds = time.perf_counter() - begin
        test, right = FashionMNIST(root, train=False, transform=ToTensor()), 0
        with torch.no_grad():
            for images, labels in DataLoader(test, 1000):
                right += int((network(images).argmax(1) == labels).sum())
    return seconds, right / len(test)


def with_workers(data: Path, seed: int) -> Result:
    """The same loop with two processes that load."""
    return torchvision_loop(data, seed, workers=2)


def sklearn_mlp(data: Path, seed: int) -> Result:
    """scikit-learn's MLPClassifier."""
    from sklearn.neural_network import MLPClassifier

    from nnlab.data.idx import load_split

    epochs, batch_size = shape()
    begin = time.perf_counter()
    images, labels = load_split(data, "train")
    network = MLPClassifier((128,), batch_size=batch_size, max_iter=epochs, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "not converged": five epochs are what was asked for
        network.fit(images.flatten(1).numpy().astype("float32") / 255, labels.numpy())
    seconds = time.perf_counter() - begin
    images, labels = load_split(data, "test")
    return seconds, float(network.score(images.flatten(1).numpy().astype("float32") / 255, labels.numpy()))


def shape() -> tuple[int, int]:
    """Epochs and batch size of the committed parameters."""
    from nnlab.params import load_params

    settings = load_params(ROOT / "params.yaml").fashion.training
    return settings.epochs, settings.batch_size


def main() -> None:
    """Measure in turn and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with the four IDX files")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    peers: dict[str, Callable[[Path, int], Result]] = {
        "this project": ours,
        "torchvision `Dataset` + `ToTensor` + `DataLoader`": torchvision_loop,
        "the same, `num_workers=2`": with_workers,
        "scikit-learn `MLPClassifier`": sklearn_mlp,
    }
    results: dict[str, list[Result]] = {name: [] for name in peers}
    for seed in range(1, options.rounds + 1):
        for name, train in peers.items():
            results[name].append(train(options.data, seed))
            print(f"round {seed}: {name}: {results[name][-1][0]:.1f} s", file=sys.stderr)
    epochs, batch_size = shape()
    print(f"784-128-10, {epochs} epochs, batch size {batch_size}, {options.rounds} rounds in turn, medians\n")
    print("| what | seconds | times as slow | test accuracy |\n|---|---|---|---|")
    base = statistics.median(seconds for seconds, _ in results["this project"])
    for name, rounds in results.items():
        seconds, right = (statistics.median(values) for values in zip(*rounds))
        print(f"| {name} | {seconds:.2f} | {seconds / base:.1f} | {100 * right:.2f} % |")


if __name__ == "__main__":
    main()
