"""Which networks `nnlab` draws with: those of the package, of a training in the folder, or given ones."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter, ImageOps

from nnlab.adain import shipped
from nnlab.adain.shipped import DECODER, NORMALISED, TRAINED_DECODER, TRAINED_ENCODER, networks, ship
from nnlab.adain.stylize import Stylizer
from nnlab.adain.weights import ENCODED, load_decoder, load_encoder, normalised, save_decoder, save_encoder
from nnlab.errors import UserError
from nnlab.training.state import load_tensors, save_tensors
from nnlab.vgg.weights import read_weights
from tests.adain.reference import image


def mark(network):
    """A number that tells networks apart."""
    return network.block1_conv1.weight[0, 0, 0, 0].item()


@pytest.fixture
def trained(workdir, weight_files, decoder):
    """A project's folder after a training: encoder and decoder with the test's weights."""
    save_encoder(read_weights(weight_files[0]), TRAINED_ENCODER, {})
    save_tensors(NORMALISED, {name: 2 * tensor for name, tensor in load_tensors(TRAINED_ENCODER)[0].items()})
    save_decoder(decoder, TRAINED_DECODER, {})
    return workdir


@pytest.mark.usefixtures("workdir")
def test_without_a_training_the_shipped_networks_draw(capsys):
    encoder, decoder = networks()
    assert capsys.readouterr().err == ""
    with torch.no_grad():
        features = encoder.encode(image(1, 64, 64))
    assert 0.2 < features.mean() < 5, "every filter has about a mean of 1"
    tensors, metadata = load_tensors(DECODER)
    assert mark(decoder) == tensors["block1_conv1.weight"][0, 0, 0, 0]
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    assert metadata, "it says how it was trained"
    assert DECODER.stat().st_size <= 8 << 20


@pytest.mark.usefixtures("workdir")
def test_every_border_is_as_good_and_flat_blocks_have_no_specks():
    """With the shipped decoder: what random networks draw has no quality."""
    stylizer = Stylizer(*networks())

    def error(picture):  # by pixel, of the picture drawn as itself
        style = picture.resize((16, 16))  # any: at alpha 0 nothing of it is drawn
        return np.abs(np.asarray(stylizer.stylize(picture, [style], alpha=0)).astype(int) - np.asarray(picture))

    def borders(errors):  # right, bottom, left, top
        return [part.mean() for part in (errors[:, -8:], errors[-8:], errors[:, :8], errors[:8])]

    def inside(picture):  # the same pixels with the mirror image far around them
        around = np.pad(np.asarray(picture), ((37, 38), (37, 38), (0, 0)), mode="symmetric")
        return error(Image.fromarray(around))[37 : 37 + 77, 37 : 37 + 101]

    found = []  # of many pictures, each also turned: of one alone, the network's own sides differ by up to a half
    for seed in range(1, 37):
        tones = np.random.default_rng(seed).integers(0, 256, (10, 13, 3), dtype=np.uint8)
        photo = Image.fromarray(tones).resize((101, 77), Image.Resampling.BICUBIC)
        both = photo, ImageOps.mirror(ImageOps.flip(photo))
        found.append([[borders(error(picture)) for picture in both], [borders(inside(picture)) for picture in both]])
    usual, turned = ratios = np.divide(*np.mean(found, axis=0))
    assert (ratios < 1.1).all()
    assert (np.abs(np.log(usual[:2] / turned[2:])) < np.log(1.1)).all()  # right as left, bottom as top

    colours = 255 * np.eye(3, dtype=np.uint8)[[[0, 1], [2, 0]]]
    blocks = Image.fromarray(colours).resize((157, 157), Image.Resampling.NEAREST)
    drawn = stylizer.stylize(blocks, [photo])
    specks = np.asarray(drawn).astype(int) - np.asarray(drawn.filter(ImageFilter.MedianFilter(3)))
    for top, left in ((24, 24), (24, 101), (101, 24), (101, 101)):
        assert np.abs(specks[top : top + 32, left : left + 32]).max() < 20


def test_after_a_training_the_trained_networks_draw_and_one_line_says_so_but_given_ones_come_first(trained, capsys):
    encoder, decoder = networks()
    assert mark(decoder) == mark(load_decoder(TRAINED_DECODER))
    assert mark(encoder) == mark(load_encoder(TRAINED_ENCODER))
    assert capsys.readouterr().err == f"nnlab: using the decoder that was trained here, {TRAINED_DECODER}\n"
    encoder, decoder = networks(None, DECODER)
    assert mark(decoder) == mark(load_decoder(DECODER))
    assert mark(encoder) == mark(load_encoder(NORMALISED))
    assert capsys.readouterr().err == ""
    tensors, other = load_tensors(TRAINED_ENCODER)[0], trained / "project/encoder.safetensors"
    tensors["block1_conv1.weight"] += 1
    save_tensors(other, tensors)
    save_decoder(load_decoder(DECODER), other.with_name("decoder_50.safetensors"), {})
    for given in ((other, DECODER), (None, other.with_name("decoder_50.safetensors"))):
        assert mark(networks(*given)[0]) == pytest.approx(mark(load_encoder(TRAINED_ENCODER)) + 1)
    TRAINED_ENCODER.unlink()
    for given, said in (((other, None), "a decoder fits its encoder alone"), ((None, None), "not found")):
        with pytest.raises(UserError, match=rf"encoder\.safetensors: {said}"):
            networks(*given)


@pytest.mark.usefixtures("workdir")
def test_a_missing_weights_package_is_named(monkeypatch):
    monkeypatch.setattr(shipped, "VGG_PACKAGE", "no_such_package")
    with pytest.raises(UserError, match="no_such_package"):
        networks()


def test_shipping_writes_both_files_and_refuses_a_foreign_encoder(trained, monkeypatch):
    plain = read_weights(TRAINED_ENCODER)
    monkeypatch.setattr(shipped, "_plain", lambda: plain)
    for name in ("DECODER", "SCALES"):
        monkeypatch.setattr(shipped, name, trained / f"package/{name}.safetensors")
    means = {layer: torch.rand(plain.convs[layer][1].shape, dtype=torch.float64) + 0.1 for layer in ENCODED}
    encoder, decoder = trained / "encoder.safetensors", trained / "decoder_100.safetensors"
    save_encoder(normalised(plain, means), encoder, {})
    save_decoder(load_decoder(TRAINED_DECODER), decoder, {"iteration": "10000"})
    ship(trained)

    for layer, scale in load_tensors(shipped.SCALES)[0].items():
        torch.testing.assert_close(scale, means[layer], rtol=1e-5, atol=0)
    assert load_tensors(shipped.DECODER)[1] == {"iteration": "10000"}
    for file in (NORMALISED, TRAINED_ENCODER, TRAINED_DECODER):
        file.unlink()
    for ours, theirs in zip(networks(), (load_encoder(encoder), load_decoder(decoder))):
        torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=1e-3, atol=1e-5)

    plain.convs["block3_conv2"][0].mul_(torch.rand(256, 256, 3, 3))
    with pytest.raises(UserError, match="not made from the VGG19 weights"):
        ship(trained)
