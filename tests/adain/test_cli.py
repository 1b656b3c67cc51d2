"""`nnlab stylize` and `nnlab export` with files and folders."""

import numpy as np
import pytest
import torch
from PIL import Image

from nnlab.adain import jobs, shipped
from nnlab.adain.jobs import plan
from nnlab.adain.weights import load_encoder
from nnlab.cli import main
from nnlab.data.images import save_image
from nnlab.errors import UserError
from tests.adain.reference import image


def save(path, seed, width=48, height=40):
    save_image(image(seed, height, width), path)
    return path


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "photo.jpg", 1, 50, 37)
    save(tmp_path / "a.png", 2)
    save_image(1 - image(3, 40, 48).flip(2), tmp_path / "b.png")
    return tmp_path


@pytest.fixture
def stylize(weight_files, capsys):
    """Run the command with the test's networks in float32; give exit code, standard output and standard error."""

    def call(*arguments):
        networks = ["--encoder", str(weight_files[0]), "--decoder", str(weight_files[1]), "--precision", "float32"]
        code = main(["stylize", *networks, *map(str, arguments)])
        return code, *capsys.readouterr()

    return call


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_one_picture_has_the_photos_size(pictures, stylize):
    code, out, err = stylize("--content", "photo.jpg", "--style", "a.png", "--output", "new/result.png")
    assert (code, out, err) == (0, "new/result.png\n", "")
    assert Image.open("new/result.png").size == (50, 37)
    assert names(pictures / "new") == ["result.png"]


def test_size_is_that_of_the_shorter_side(pictures, stylize):
    stylize("--content", "photo.jpg", "--style", "a.png", "--size", 20, "--style-size", 0, "--output", "result.png")
    assert Image.open("result.png").size == (27, 20)


def test_alpha_weights_and_colours_change_the_picture(pictures, stylize):
    variants = {
        "plain": ["--style", "a.png"],
        "alpha": ["--style", "a.png", "--alpha", "0.4"],
        "blend": ["--style", "a.png", "b.png", "--style-weights", "0.3", "0.7"],
        "commas": ["--style", "a.png,b.png", "--style-weights", "3,7"],
        "one_of_two": ["--style", "a.png", "b.png", "--style-weights", "1", "0"],
        "colours": ["--style", "a.png", "--preserve-color"],
    }
    for name, options in variants.items():
        assert stylize("--content", "photo.jpg", *options, "--output", f"out_{name}.png")[0] == 0
    drawn = {name: pixels(f"out_{name}.png") for name in variants}
    assert (drawn["blend"] == drawn["commas"]).all()
    assert np.abs(drawn["plain"] - drawn["one_of_two"]).max() <= 1
    for name in ("alpha", "blend", "colours"):
        assert np.abs(drawn[name] - drawn["plain"]).max() > 1, name


def test_folders_give_every_content_in_every_style(pictures, stylize):
    for name in ("one.jpg", "inner/two.png", "inner/one.png"):
        save(pictures / "photos" / name, 4)
    for name in ("x.jpg", "X.png"):
        save(pictures / "styles" / name, 5)
    code, out, _ = stylize("--content", "photos", "--style", "styles", "--output", "results")
    assert (code, out) == (0, "6 of 6 pictures in results\n")
    assert len({name.casefold() for name in names(pictures / "results")}) == 6
    assert {"two_x.jpg", "one_x.jpg", "one_x-2.jpg"} <= {name.lower() for name in names(pictures / "results")}


def test_broken_images_are_left_out_counted_and_listed(pictures, stylize):
    save(pictures / "photos/good.jpg", 4)
    (pictures / "photos/bad.jpg").write_bytes(b"no image")
    (pictures / "photos/empty.png").touch()
    (pictures / "photos/notes.txt").write_text("not asked for")
    whole = (pictures / "photos/good.jpg").read_bytes()
    (pictures / "photos/cut.jpg").write_bytes(whole[: len(whole) // 2])
    save(pictures / "photos/tiny.png", 4, 40, 8)
    code, out, err = stylize("--content", "photos", "--style", "a.png", "--output", "results")
    assert (code, out) == (0, "1 of 5 pictures in results\n")
    assert "4 broken files left out:" in err
    for name in ("bad.jpg", "empty.png", "cut.jpg", "tiny.png"):
        assert name in err
    assert names(pictures / "results") == ["good_a.jpg"]


def test_a_broken_style_is_listed_once(pictures, stylize):
    for name in ("one.jpg", "two.jpg"):
        save(pictures / "photos" / name, 4)
    save(pictures / "styles/good.jpg", 5)
    (pictures / "styles/bad.jpg").write_bytes(b"no image")
    code, out, err = stylize("--content", "photos", "--style", "styles", "--output", "results", "--preserve-color")
    assert (code, out) == (0, "2 of 4 pictures in results\n")
    assert err.count("bad.jpg") == 1


def test_long_names_are_cut_to_what_a_disk_holds(pictures):
    for folder, ending in (("photos", "jpg"), ("styles", "jpg"), ("styles", "png")):
        save(pictures / folder / f"{'长' * 80}.{ending}", 4, 10, 10)
    made = [job.output for job in plan(pictures / "photos", [pictures / "styles"], pictures / "results")]
    assert [path.name for path in made] == [f"{'长' * 66}.jpg", f"{'长' * 66}-2.jpg"]
    for path in made:
        save(path, 5, 10, 10)


def test_only_broken_images_are_an_error(pictures, stylize):
    (pictures / "photos").mkdir()
    (pictures / "photos/bad.jpg").write_bytes(b"no image")
    code, out, err = stylize("--content", "photos", "--style", "a.png", "--output", "results")
    assert (code, out) == (1, "")
    assert err.endswith("nnlab: error: no picture was made: every one needs a file that cannot be used\n")
    assert not (pictures / "results").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([["--content", "no.jpg"]], "no.jpg: not found"),
        ([["--style", "no.png"]], "no.png: not found"),
        ([["--content", "bad.jpg"]], "bad.jpg: not an image"),
        ([["--content", "empty"]], "empty: no images"),
        ([["--content", "loop.jpg"]], "loop.jpg: a link that leads nowhere"),
        ([["--style", ","]], "--style ,: names no picture"),
        ([["--style", "a.png", "empty"]], "empty: a folder cannot be blended"),
        ([["--alpha", "1.2"]], "alpha = 1.2: must lie between 0 and 1"),
        ([["--style-weights", "1", "2"]], "2 style weights for 1 styles"),
        ([["--style-weights", "much"]], "--style-weights much: must be numbers"),
        ([["--output", "result.xyz"]], "result.xyz: no image format has this ending"),
        ([["--output", "photo.jpg"]], "photo.jpg: is one of the input pictures"),
        ([["--output", "./a.png"]], "a.png: is one of the input pictures"),
        ([["--content", "photos"]], "result.jpg: several pictures are asked for"),
        ([["--device", "abacus"]], "abacus"),
        ([["--decoder", "bad.jpg"]], "bad.jpg: not a decoder"),
        ([["--encoder", "no.pth"]], "no.pth: no such weights file"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(pictures, stylize, arguments, message):
    (pictures / "bad.jpg").write_bytes(b"no image")
    (pictures / "loop.jpg").symlink_to("loop.jpg")
    (pictures / "empty").mkdir()
    save(pictures / "photos/one.jpg", 4)
    before = names(pictures)
    options = {"--content": ["photo.jpg"], "--style": ["a.png"], "--output": ["result.jpg"]}
    for name, *values in arguments:
        options[name] = values
    code, out, err = stylize(*(text for name, values in options.items() for text in [name, *values]))
    assert (code, out) == (1, "")
    assert err.startswith("nnlab: error: ")
    assert message in err
    assert err.count("\n") == 1
    assert names(pictures) == before


def test_a_picture_that_cannot_be_written_leaves_nothing(pictures, stylize, monkeypatch):
    def full(picture, path, **options):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(Image.Image, "save", full)
    code, _, err = stylize("--content", "photo.jpg", "--style", "a.png", "--output", "new/result.png")
    assert code == 1
    assert "No space left on device" in err
    assert names(pictures / "new") == []


def test_a_decoder_is_exported_with_its_encoder(weight_files, tmp_path, capsys):
    code = main(
        ["export", "--encoder", str(weight_files[0]), "--decoder", str(weight_files[1]), "--output", str(tmp_path)]
    )
    assert code == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / "vgg_normalised.pth"), str(tmp_path / "decoder.pth")]
    assert "29.weight" in torch.load(tmp_path / "vgg_normalised.pth", weights_only=True)


def test_contents_are_encoded_once_and_styles_once(pictures, monkeypatch):
    counts = {"content": 0, "statistics": 0}

    class Counting:
        def content(self, picture, on_tile):
            counts["content"] += 1
            return picture

        def statistics(self, picture, colours=None):
            counts["statistics"] += 1
            return picture.size

        def paint(self, content, styles, weights, alpha, on_tile):
            return content

    for name in ("one.jpg", "two.jpg"):
        save(pictures / "photos" / name, 4)
    save(pictures / "styles/x.jpg", 5)
    save(pictures / "styles/y.jpg", 5)
    drawing = jobs.Drawing(Counting(), jobs.Options())
    assert all(drawing.make(job) for job in plan(pictures / "photos", [pictures / "styles"], pictures / "results"))
    assert counts == {"content": 2, "statistics": 2}


def test_the_shipped_networks_draw(pictures, capsys):
    code = main(["stylize", "--content", "photo.jpg", "--style", "a.png", "--output", "result.png"])
    assert (code, capsys.readouterr().out) == (0, "result.png\n")
    assert pixels("result.png").std() > 5


def test_the_shipped_decoder_is_small_and_says_what_it_learnt_from():
    from nnlab.training.state import load_tensors

    assert shipped.DECODER.stat().st_size <= 8 << 20
    assert load_tensors(shipped.DECODER)[1]


def test_a_missing_weights_package_is_named(monkeypatch):
    monkeypatch.setattr(shipped, "VGG_PACKAGE", "no_such_package")
    with pytest.raises(UserError, match="no_such_package"):
        shipped.shipped_encoder()


def test_scales_lead_from_the_plain_weights_to_the_normalised_ones(weight_files):
    from nnlab.adain.normalise import LAYERS, normalised
    from nnlab.vgg_weights import read_weights

    plain = read_weights(weight_files[0])
    means = {layer: torch.rand(plain.convs[layer][1].shape, dtype=torch.float64) + 0.1 for layer in LAYERS}
    found = shipped.scales(plain, normalised(plain, means))
    for layer in LAYERS:
        torch.testing.assert_close(found[layer], means[layer], rtol=1e-5, atol=0)


def test_shipping_writes_both_files_and_refuses_a_foreign_encoder(weight_files, tmp_path, monkeypatch):
    from nnlab.adain.normalise import LAYERS, normalised
    from nnlab.adain.weights import load_decoder, save_encoder
    from nnlab.vgg_weights import read_weights

    plain = read_weights(weight_files[0])
    monkeypatch.setattr(shipped, "_plain", lambda: plain)
    monkeypatch.setattr(shipped, "DECODER", tmp_path / "decoder.safetensors")
    monkeypatch.setattr(shipped, "SCALES", tmp_path / "scales.safetensors")
    means = {layer: torch.rand(plain.convs[layer][1].shape, dtype=torch.float64) + 0.1 for layer in LAYERS}
    save_encoder(normalised(plain, means), tmp_path / "encoder.safetensors", {})
    shipped.ship(tmp_path / "encoder.safetensors", weight_files[1], "nothing")
    picture = image(1, 40, 40)
    with torch.no_grad():
        torch.testing.assert_close(
            shipped.shipped_encoder().encode(picture),
            load_encoder(tmp_path / "encoder.safetensors").encode(picture),
            rtol=1e-3,
            atol=1e-4,
        )
        shipped_weight = shipped.shipped_decoder().block1_conv1.weight
        torch.testing.assert_close(
            shipped_weight, load_decoder(weight_files[1]).block1_conv1.weight, rtol=1e-3, atol=1e-5
        )
    plain.convs["block3_conv2"][0].mul_(torch.rand(256, 256, 3, 3))
    with pytest.raises(UserError, match="not made from the VGG19 weights"):
        shipped.ship(tmp_path / "encoder.safetensors", weight_files[1], "nothing")
