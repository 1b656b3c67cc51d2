"""Measures by hand, and which images the figures show."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from nnlab.fashion.evaluate import Epoch, History, accuracy, class_accuracy, cross_entropy
from nnlab.fashion.figures import _accuracy
from nnlab.fashion.model import build
from nnlab.fashion.predictions import mixed, telling
from nnlab.figures import style

CPU, FLOAT = torch.device("cpu"), torch.float32


def one_hot(*classes: int) -> torch.Tensor:
    return torch.nn.functional.one_hot(torch.tensor(classes), 10).float()


def test_accuracy_by_hand() -> None:
    scores, labels = one_hot(0, 0, 1, 2), torch.tensor([0, 1, 1, 2])
    assert accuracy(scores, labels) == 0.75
    assert class_accuracy(scores, labels) == [1.0, 0.5, 1.0] + [None] * 7


def test_cross_entropy_by_hand() -> None:
    assert cross_entropy(torch.zeros(3, 10), torch.tensor([0, 5, 9])) == pytest.approx(math.log(10))
    scores = torch.full((1, 10), -math.inf)
    scores[0, :2] = torch.tensor([math.log(3.0), 0.0])
    assert cross_entropy(scores, torch.tensor([0])) == pytest.approx(math.log(4 / 3))


def test_the_curves_use_as_many_training_as_test_images() -> None:
    """An untrained network with all scores equal is right exactly for class 0."""
    network = build([], [], 0)
    torch.nn.init.zeros_(network.layers[1].weight)
    torch.nn.init.zeros_(network.layers[1].bias)
    images = torch.zeros(6, 28, 28, dtype=torch.uint8)
    train_labels, test_labels = torch.tensor([0, 0, 1, 1, 1, 1]), torch.tensor([0, 1])
    row = History((images, train_labels), (images[:2], test_labels), CPU, FLOAT).add(1, network)
    assert (row.train_accuracy, row.test_accuracy) == (1.0, 0.5)
    assert row.test_loss == pytest.approx(math.log(10))


def test_the_legend_says_which_training_images_were_judged() -> None:
    judged = SimpleNamespace(labels=np.zeros(10_000), accuracy=0.9, history=[Epoch(1, 0.9, 0.8, 0.3, 0.4)])
    with style():
        legend = _accuracy(judged).axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["first 10,000 training images", "10,000 test images"]


def test_a_telling_image_is_preferred_and_none_is_none() -> None:
    confidences = np.array([[0.99, 0.01], [0.45, 0.55], [0.6, 0.4], [0.95, 0.05]])
    assert telling(confidences, np.array([0, 2, 3])) == 2
    assert telling(confidences, np.array([0, 3])) == 0
    assert telling(confidences, np.array([], int)) is None


def test_a_third_of_the_shown_predictions_is_wrong() -> None:
    right, wrong = np.arange(0, 100, 2), np.arange(1, 100, 2)
    chosen = mixed(right, wrong)
    assert (len(chosen), sum(index % 2 for index in chosen)) == (15, 5)
    assert chosen == sorted(chosen)
    assert mixed(right, wrong[:2]) == sorted([1, 3, *right[:13].tolist()])
    assert mixed(right[:3], wrong[:0]) == [0, 2, 4]
