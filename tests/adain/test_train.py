"""The training loop in this process: losses, milestones, resuming."""

import json
import threading
from itertools import pairwise

import pytest
import torch
from pydantic import ValidationError

from nnlab.adain.data import Batch, Crops
from nnlab.adain.losses import color_loss, content_loss, mixed, seen, statistics, structure_loss, style_loss
from nnlab.adain.model import FEATURES, Decoder, adain_statistics, initial_decoder
from nnlab.adain.train import batch_losses, curve, learning_rate, new_state, row_ends, step_function, train
from nnlab.adain.weights import load_decoder
from nnlab.data.imageset import ImageSet
from nnlab.errors import UserError
from nnlab.params import AdainRunParams
from nnlab.training.processes import Processes
from nnlab.training.state import STATE, load_tensors
from tests.adain.reference import GOLDEN, crops
from tests.adain.training import REFERENCE, SMALL, make_pools, plain_losses, settings

CPU = torch.device("cpu")
EVERY_STEP = {**SMALL, "log_every": 1}


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    return [ImageSet(path, 1 << 24) for path in make_pools(tmp_path_factory.mktemp("sets"))]


@pytest.fixture(scope="module")
def run(sets, encoder):
    """`run(folder, params)` trains there from the newest state, or else from the start; the final state."""

    def go(folder, params, stop_at=None, save_every=4, begins_at=0):
        def report():
            if state.step == stop_at:
                raise KeyboardInterrupt  # the run ends, as by a kill, before it saves its state

        state, processes = new_state(initial_decoder(params.seed), params, CPU), Processes(0, 1, CPU)
        if (folder / STATE).exists():
            state.restore(*load_tensors(folder / STATE))
        assert state.step == begins_at
        move = step_function(encoder, state, params, processes, torch.float32)
        how = AdainRunParams(workers=0, save_every=save_every, cache_mib=0, compile=False)
        train(move, state, Crops(*sets, params), processes, how, folder, report)
        return state

    return go


@pytest.fixture(scope="module")
def whole(run, tmp_path_factory):
    """Parameters, final state and folder of an undisturbed run."""
    params, folder = settings(**EVERY_STEP), tmp_path_factory.mktemp("whole")
    return params, run(folder, params), folder


def test_milestones_are_kept(whole):
    params, state, folder = whole
    assert params.milestones == {10: 2, 50: 6, 80: 10, 100: 12}
    decoders = [load_decoder(folder / f"decoder_{percent}.safetensors") for percent in params.milestones]
    assert all(torch.equal(a, b) for a, b in zip(decoders[3].parameters(), state.average.parameters()))


def test_an_early_milestone_is_not_the_random_start(run, tmp_path):
    """A moving average with a long memory would still be the start; ours remembers a twentieth of the run so far."""
    decoders = [initial_decoder(1)]
    for average in (0.0, 0.999):
        folder, params = tmp_path / str(average), settings(**{**EVERY_STEP, "max_iter": 40, "average": average})
        with pytest.raises(KeyboardInterrupt):
            run(folder, params, stop_at=5)
        decoders.append(load_decoder(folder / "decoder_10.safetensors"))
    start, without, ours = (torch.nn.utils.parameters_to_vector(decoder.parameters()) for decoder in decoders)
    assert torch.dist(without, ours) < 0.5 * torch.dist(without, start)


@pytest.mark.parametrize(
    ("optimizer", "stops"), [("muon", {0: 0, 1: 0, 5: 4, 6: 4, 7: 6}), ("adam", {0: 0, 5: 4})], ids=["muon", "adam"]
)
def test_a_stopped_run_goes_on_from_its_newest_state_to_the_same_bits(whole, run, tmp_path, optimizer, stops):
    params = settings(**EVERY_STEP, optimizer=optimizer)
    expected = whole[1] if params == whole[0] else run(tmp_path / "whole", params)
    for (_, saved), (stop_at, _) in pairwise(stops.items()):
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "stopped", params, stop_at, begins_at=saved)
    found = run(tmp_path / "stopped", params, begins_at=[*stops.values()][-1])
    torch.testing.assert_close(found.tensors(), expected.tensors(), rtol=0, atol=0)


def test_a_diverged_training_ends_with_one_line(run, tmp_path):
    with pytest.raises(UserError, match=r"^the loss is not finite at iteration \d+; lower adain\.train\."):
        run(tmp_path, settings(**{**SMALL, "learning_rate": 1e30, "warmup": 0}))


def test_pytorch_adains_recipe_gives_exactly_its_loss(encoder, decoder):
    """The oracle is what its own code computed, see tests/adain/reference.py."""
    values, picks = json.loads(GOLDEN.read_text())["losses"]["values"], torch.linspace(0, 3, 40).long().tolist()
    expected = [values[picks.index(n)] for n in range(2)]
    batch = Batch(*(255 * picture for picture in crops()))
    total, losses, _ = batch_losses(encoder, decoder, batch, settings(**REFERENCE), torch.float32)
    assert losses.tolist() == pytest.approx(expected, rel=1e-4)
    assert total.item() == pytest.approx(expected[0] + 10 * expected[1], rel=1e-4)


def test_pytorch_adains_recipe_takes_its_steps(sets, encoder, run, tmp_path):
    params = settings(**REFERENCE, max_iter=4, batch_size=2)
    history = run(tmp_path, params).history
    decoder, expected, pairs = initial_decoder(params.seed), [], Crops(*sets, params)
    optimizer = torch.optim.Adam(decoder.parameters(), lr=1e-4)
    for step in range(4):
        optimizer.param_groups[0]["lr"] = 1e-4 / (1 + 5e-5 * step)
        batch = pairs[step]
        losses = plain_losses(encoder, decoder, batch.content.float() / 255, batch.style.float() / 255)
        optimizer.zero_grad()
        (1.0 * losses[0] + 10.0 * losses[1]).backward()
        optimizer.step()
        expected.append([loss.item() for loss in losses])
    torch.testing.assert_close(history, torch.tensor(expected), rtol=1e-4, atol=0)


def test_identity_steps_may_be_the_only_ones_with_a_loss(run, tmp_path):
    """In the others it is 0, of whose root the gradient is infinite."""
    nothing = dict.fromkeys(("content_weight", "style_weight", "structure_weight", "color_weight"), 0.0)
    state = run(tmp_path / "state", settings(**SMALL, **nothing))
    assert all(weights.isfinite().all() for weights in state.decoder.parameters())
    with pytest.raises(ValidationError, match="nothing to learn"):
        settings(**nothing, identity={"share": 0, "pixel_weight": 100.0})


@pytest.mark.parametrize("alpha", [1.0, 0.3, None])
def test_the_loss_of_every_kind_of_step_is_the_weighted_sum(encoder, alpha):
    """`alpha` None: an identity step."""
    weights = {"structure_weight": 3.0, "color_weight": 70.0, "identity": {"share": 1, "pixel_weight": 50.0}}
    params, decoder = settings(**weights), initial_decoder(1)
    content, style = (torch.randint(0, 256, (2, 3, 24, 24), dtype=torch.uint8) for _ in range(2))
    images, batch = content / 255, Batch(content, style, torch.tensor(alpha)) if alpha else Batch(content, None)
    features = seen(encoder, images)
    own = target = statistics(features)
    if alpha:
        target = mixed(own, statistics(seen(encoder, style / 255)), batch.alpha)
    wanted = adain_statistics(*(found[FEATURES[-1]] for found in (features, own, target)))
    drawn = decoder(wanted)
    made = encoder(drawn)
    losses = [content_loss(made[FEATURES[-1]], wanted), style_loss(made, target)]
    expected = losses[0] + 10 * losses[1] + 3 * structure_loss(made, features, own, target)
    expected += 70 * color_loss(drawn, features, own, target) if alpha else 50 * content_loss(drawn, images)
    total, found, kept = batch_losses(encoder, decoder, batch, params, torch.float32)
    torch.testing.assert_close((total, found, kept), (expected, torch.stack(losses), own), rtol=1e-4, atol=0)
    known = batch_losses(encoder, decoder, batch, params, torch.float32, statistics(seen(encoder, style / 255)))
    torch.testing.assert_close(known[:2], (total, found), rtol=1e-5, atol=0)
    total.backward()
    assert all(weights.grad.abs().sum() > 0 for weights in decoder.parameters())
    assert all(weights.grad is None for weights in encoder.parameters())


def test_a_compiled_step_serves_every_strength(sets, encoder):
    """It was compiled anew for each, which took a GPU minutes, and ended uncompiled."""
    crops, decoder = Crops(*sets, settings(batch_size=1)), initial_decoder(1)
    losses = torch.compile(batch_losses, backend="eager")
    known = None
    for step in range(30):
        with torch.compiler.set_stance("default" if step < 10 else "fail_on_recompile"):
            *_, known = losses(encoder, decoder, crops[step], crops.params, torch.float32, known if step % 2 else None)


def test_gradients_are_those_of_a_power_of_the_loss(encoder):
    """To a factor of the power itself, which neither Adam nor Muon sees."""
    crops = Batch(*(torch.randint(0, 256, (1, 3, 24, 24), dtype=torch.uint8) for _ in range(2)))
    found = {}
    for power in (1.0, 0.5):
        params = settings(power=power, batch_size=1)
        state = new_state(initial_decoder(1), params, CPU)
        total, *_ = batch_losses(encoder, state.decoder, crops, params, torch.float32)
        step_function(encoder, state, params, Processes(0, 1, CPU), torch.float32)(crops)
        found[power] = [weights.grad for weights in state.decoder.parameters()]
    for plain, rooted in zip(found[1.0], found[0.5]):
        torch.testing.assert_close(rooted, plain * total.item() ** -0.5, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("optimizer", ["muon", "adam"])
def test_no_step_waits_for_the_device(run, tmp_path, monkeypatch, optimizer):
    """Losses are read where a row of the curves ends, in one go; what stays on the CPU is of other types."""
    reads, counts = [], []
    for name in ("item", "tolist", "cpu", "numpy", "__bool__", "__float__", "__int__", "__index__", "nonzero"):
        real = getattr(torch.Tensor, name)

        def counted(tensor, *rest, real=real, name=name):
            if tensor.dtype in (torch.float32, torch.bool) and threading.current_thread() is threading.main_thread():
                reads.append(name)
            return real(tensor, *rest)

        monkeypatch.setattr(torch.Tensor, name, counted)
    for steps in (2, 5):
        reads.clear()
        short = {"max_iter": steps, "log_every": steps, "checkpoint_fractions": [1.0], "optimizer": optimizer}
        run(tmp_path / str(steps), settings(**{**SMALL, **short}), save_every=100)
        counts.append(list(reads))
    assert counts[0] == counts[1] != []


def test_the_rate_rises_and_falls():
    params = settings(decay=0.1, learning_rate=1.0, warmup=9, cooldown=0.2, max_iter=100)
    expected = [0.1, 1 / 2, 1 / 9, 1 / 10 / 2]
    assert [learning_rate(params, step) for step in (0, 10, 80, 90)] == pytest.approx(expected)
    reference = settings(**REFERENCE)
    assert [learning_rate(reference, step) for step in (0, 20_000)] == pytest.approx([1e-4, 1e-4 / 2])


def test_rows_are_means_over_the_iterations_since_the_row_before():
    params = settings(max_iter=7, log_every=3, learning_rate=2.0, warmup=0, decay=0.25)
    state = new_state(Decoder(), params, CPU)
    state.history.copy_(torch.arange(14.0).view(7, 2))
    assert row_ends(params) == [3, 6, 7]
    rows = [(3, 2.0, 3.0, 2 / 1.5), (6, 8.0, 9.0, 2 / 2.25), (7, 12.0, 13.0, 2 / 2.5)]
    assert [tuple(curve(state, params, stop).values()) for stop in row_ends(params)] == rows
