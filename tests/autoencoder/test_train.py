"""Training: it learns, it repeats itself, the noise is fresh and the target clean."""

import pytest
import torch

import nnlab.autoencoder.train as module
from nnlab.autoencoder.losses import bce
from nnlab.autoencoder.train import History, as_judged, rebuild, train
from nnlab.data.idx import unit
from nnlab.errors import UserError
from tests.autoencoder.test_model import noisy_settings, settings
from tests.datasets import bars

CPU, FLOAT = torch.device("cpu"), torch.float32
IMAGES = unit(bars(100)[0]).flatten(1)


def test_it_learns() -> None:
    before = bce(rebuild(train(IMAGES, settings(learning_rate=1e-9), CPU, FLOAT), IMAGES), IMAGES)
    after = bce(rebuild(train(IMAGES, settings(epochs=30), CPU, FLOAT), IMAGES), IMAGES)
    assert after < 0.7 * before


@pytest.mark.parametrize("wanted", [settings(epochs=2), noisy_settings(epochs=2)])
def test_the_same_seed_gives_the_same_model_and_another_seed_another(wanted) -> None:
    torch.manual_seed(1)
    first = train(IMAGES, wanted, CPU, FLOAT).state_dict()
    torch.manual_seed(2)
    again = train(IMAGES, wanted, CPU, FLOAT).state_dict()
    other = train(IMAGES, wanted.model_copy(update={"seed": 9}), CPU, FLOAT).state_dict()
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["encoder.0.weight"], other["encoder.0.weight"])


def test_noise_is_fresh_in_every_step_and_the_target_is_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, targets = [], []

    def noise(images, factor, generator):
        assert factor == 0.4
        seen.append(torch.randn(images.shape, generator=generator))
        return images + factor * seen[-1]

    def loss(scores, target):
        targets.append(target)
        return bce(scores, target)

    monkeypatch.setattr(module, "add_noise", noise)
    monkeypatch.setattr(module, "bce", loss)
    train(IMAGES, noisy_settings(epochs=2, batch_size=50), CPU, FLOAT)
    assert len(seen) == 4
    assert not any(torch.equal(a, b) for i, a in enumerate(seen) for b in seen[:i])
    clean = {tuple(image.tolist()) for image in IMAGES}
    assert all(tuple(image.tolist()) in clean for batch in targets for image in batch)


def test_judging_does_not_change_the_training_and_sees_the_same_noise_each_time() -> None:
    wanted = noisy_settings(epochs=2)
    history = History(IMAGES, IMAGES[:30], wanted)
    judged = train(IMAGES, wanted, CPU, FLOAT, history.add).state_dict()
    plain = train(IMAGES, wanted, CPU, FLOAT).state_dict()
    assert all(torch.equal(judged[key], plain[key]) for key in judged)
    assert [row.epoch for row in history.epochs] == [1, 2]
    assert history.epochs[0].train_loss == history.epochs[0].test_loss, "the first images of both are the same here"
    assert torch.equal(as_judged(IMAGES, wanted), as_judged(IMAGES, wanted))
    assert not torch.equal(as_judged(IMAGES, wanted), IMAGES)
    assert as_judged(IMAGES, settings()) is IMAGES


def test_a_training_that_diverges_says_so() -> None:
    model = train(IMAGES, settings(), CPU, FLOAT)
    with torch.no_grad():
        model.encoder[0].bias.fill_(float("nan"))
    with pytest.raises(UserError, match="epoch 2; lower learning_rate"):
        History(IMAGES, IMAGES[:10], settings()).add(2, model)
