import numpy as np
import pytest
import torch
from PIL import Image

from nnlab.adain import stylize
from nnlab.adain.colors import palette_projection, to_pixels
from nnlab.adain.model import adain
from nnlab.adain.statistics import mean_std
from nnlab.adain.stylize import Moments, Stylizer, blend, open_picture, open_style
from nnlab.adain.weights import load_decoder, load_encoder
from nnlab.data.images import to_pil
from nnlab.data.tensors import to_tensor
from nnlab.errors import UserError
from tests.adain.reference import image


def picture(seed, width, height):
    return to_pil(image(seed, height, width))


def numbers(shown):
    return np.asarray(shown).astype(int)


@pytest.fixture(scope="module")
def stylizer(encoder, decoder):
    return Stylizer(encoder, decoder)


def test_a_picture_equals_the_formula(stylizer, encoder, decoder):
    content, style = picture(1, 56, 40), picture(2, 40, 48)
    with torch.no_grad():
        t = adain(encoder.encode(to_tensor(content)), encoder.encode(to_tensor(style)))
        f = encoder.encode(to_tensor(content))
        expected = to_pil(decoder(0.4 * t + 0.6 * f))
    assert np.abs(numbers(stylizer.stylize(content, [style], alpha=0.4)) - numbers(expected)).max() <= 1
    assert numbers(expected).std() > 5, "the networks draw nothing: the test proves nothing"


@pytest.mark.parametrize("keep", [True, False])
def test_tiles_give_the_picture_of_one_pass(stylizer, monkeypatch, keep):
    monkeypatch.setattr(stylize, "KEEP_BYTES", 1 << 30 if keep else 0)
    made = []
    for tile in (1000, 5):  # of 20 x 10 cells: borders inside and at the edges
        monkeypatch.setattr(stylize, "TILE", tile)
        content, style = stylizer.content(picture(1, 157, 75)), stylizer.statistics(picture(2, 40, 90))
        assert (content.features is None) is not keep
        made.append([*content.statistics, *style, numbers(stylizer.paint(content, [style]))])
    (*moments, picture_in_one), (*others, in_tiles) = made
    torch.testing.assert_close(moments, others, rtol=1e-4, atol=1e-5)
    assert np.abs(picture_in_one - in_tiles).max() <= 1
    assert (picture_in_one != in_tiles).mean() < 0.01


def test_an_odd_size_is_the_picture_continued_by_its_mirror_image_on_both_sides_alike_and_cut(stylizer):
    content, style = picture(1, 53, 42), picture(2, 40, 48)
    longer = Image.fromarray(np.pad(np.asarray(content), ((7, 7), (5, 6), (0, 0)), mode="symmetric"))
    found = numbers(stylizer.stylize(content, [style]))
    assert np.abs(found - numbers(stylizer.stylize(longer, [style]))[7:49, 5:58]).max() <= 1


def cut_out(shown, hidden):
    """The picture with its right part transparent, where its colour is `hidden`."""
    opacity = Image.new("L", shown.size, 255)
    opacity.paste(0, (32, 0, shown.width, shown.height))
    shown = Image.composite(shown, Image.new("RGB", shown.size, hidden), opacity)
    shown.putalpha(opacity)
    return shown


def test_what_is_transparent_does_not_colour_the_result(stylizer):
    content, style = picture(1, 64, 40), picture(2, 64, 40)
    first = stylizer.stylize(cut_out(content, "red"), [cut_out(style, "lime")])
    second = stylizer.stylize(cut_out(content, "blue"), [cut_out(style, "black")])
    assert first.mode == "RGBA"
    assert (numbers(first) == numbers(second)).all()
    assert (numbers(first)[:, :32, 3] == 255).all()
    assert (numbers(first)[:, 32:, 3] == 0).all()
    whole_mean = stylizer.statistics(style.crop((0, 0, 32, 40))).mean
    torch.testing.assert_close(stylizer.statistics(cut_out(style, "lime")).mean, whole_mean, rtol=0.2, atol=0.2)


@pytest.mark.parametrize("opacity", [0, 255])
def test_a_picture_that_is_wholly_transparent_or_opaque_counts_as_it_is(stylizer, opacity):
    style = picture(2, 40, 40)
    layered = style.copy()
    layered.putalpha(opacity)
    torch.testing.assert_close(stylizer.statistics(layered), stylizer.statistics(style))


def test_a_grey_style_gives_a_grey_picture_and_one_colour_its_hue_but_alpha_0_the_photos_colours(stylizer):
    """Whatever the decoder guesses: the fixture's networks are random."""
    photo, coloured = picture(1, 56, 40), picture(2, 40, 40)
    grey = coloured.convert("L").convert("RGB")
    for style in (Image.new("RGB", (32, 32)), grey):
        found = numbers(stylizer.stylize(photo, [style]))
        assert np.ptp(found, axis=2).max() == 0
    assert found.std() > 1, "the networks draw nothing: the test proves nothing"
    red = numbers(stylizer.stylize(photo, [Image.new("RGB", (32, 32), (200, 100, 50))])).reshape(-1, 3).mean(0)
    assert red / red[0] == pytest.approx([1, 0.5, 0.25], abs=0.05)
    assert palette_projection(stylizer.statistics(coloured).colours) is None
    kept, expected = (numbers(stylizer.stylize(photo, [style], alpha=0)) for style in (grey, coloured))
    assert np.abs(kept - expected).max() <= 1


def test_a_strip_does_not_become_millions_of_pixels_long(tmp_path):
    sizes = {(4096, 10, 512): (8192, 20), (4096, 10, 0): (4096, 10), (200, 100, 512): (1024, 512)}
    for (width, height, size), expected in sizes.items():
        Image.new("L", (width, height)).save(tmp_path / "strip.png")
        assert open_style(tmp_path / "strip.png", size).size == expected
    with pytest.raises(UserError, match=r"strip\.png: 200x100 pixels; with a shorter side of 16,384 too large"):
        open_picture(tmp_path / "strip.png", 16_384)


def test_styles_are_mixed_by_their_weights_and_alpha():
    features, *styles = (torch.rand(1, 512, 5, 6, generator=torch.Generator().manual_seed(n)) * n for n in (1, 2, 3))
    content, a, b = (Moments(*mean_std(seen), np.eye(3)) for seen in (features, *styles))

    def drawn(*arguments):
        scale, shift = blend(content, *arguments)
        return features * scale + shift

    mixed = 0.25 * drawn([a]) + 0.75 * drawn([b])
    torch.testing.assert_close(drawn([a, b], [1, 3]), mixed)
    torch.testing.assert_close(drawn([a, b], [0.5, 1.5], 0.3), 0.3 * mixed + 0.7 * features)
    torch.testing.assert_close(drawn([a, b]), (drawn([a]) + drawn([b])) / 2)
    torch.testing.assert_close(drawn([a, b], [0, 1]), drawn([b]))
    torch.testing.assert_close(drawn([a], None, 0.0), features)


def recoloured(source, target):
    return torch.from_numpy(to_pixels(source).in_colours_of(to_pixels(target)).colours / 255).double()


def test_coral_gives_the_targets_colour_moments_whatever_the_sizes():
    source, target = picture(1, 60, 50), Image.blend(picture(2, 31, 17), Image.new("RGB", (31, 17), "olive"), 0.5)
    wanted = torch.from_numpy(np.asarray(target).reshape(-1, 3) / 255)
    found = recoloured(source, target)
    torch.testing.assert_close(found.mean(0), wanted.mean(0), rtol=0, atol=1e-6)
    torch.testing.assert_close(torch.cov(found.T), torch.cov(wanted.T), rtol=0.02, atol=1e-4)


@pytest.mark.parametrize(("source", "target"), [("grey", "colour"), ("colour", "grey"), ("flat", "colour")])
def test_coral_gives_pictures_without_colours_the_targets_mean(source, target):
    pictures = {"grey": picture(1, 40, 40).convert("L").convert("RGB"), "colour": picture(2, 40, 40)}
    pictures["flat"] = Image.new("RGB", (512, 512), "navy")
    wanted = torch.from_numpy(np.asarray(pictures[target]).reshape(-1, 3) / 255).mean(0)
    torch.testing.assert_close(recoloured(pictures[source], pictures[target]).mean(0), wanted, rtol=0, atol=1e-3)


def test_preserved_colours_are_those_of_a_style_recoloured_beforehand(stylizer):
    content, style = picture(1, 60, 50), picture(2, 40, 48)
    mapped = to_pixels(style).in_colours_of(to_pixels(content)).rgb
    with torch.no_grad():
        expected = mean_std(stylizer.encoder.encode(torch.from_numpy(mapped / 255).permute(2, 0, 1)[None]))
    found = stylizer.statistics(style, stylizer.content(content))
    torch.testing.assert_close((found.mean, found.std), expected, rtol=1e-3, atol=1e-4)


def test_bfloat16_stays_near_float32_and_does_not_draw_its_rounding(weight_files, monkeypatch):
    content, style = picture(1, 64, 64), picture(2, 64, 64)
    networks = load_encoder(weight_files[0]), load_decoder(weight_files[1])  # which it converts in place
    dtypes = torch.float32, torch.bfloat16
    full, half = (numbers(Stylizer(*networks, precision=dtype).stylize(content, [style])) for dtype in dtypes)
    assert np.abs(full - half).mean() < 2
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)  # as without AMX, with Winograd's larger errors
    flat = Stylizer(*networks, precision=dtypes[1]).stylize(Image.new("RGB", (64, 64), "teal"), [style])
    assert numbers(flat).std((0, 1)).max() < 1
