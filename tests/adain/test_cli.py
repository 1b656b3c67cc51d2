"""`nnlab stylize` and `nnlab export` with files and folders."""

import functools
import os
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from nnlab.adain import command
from nnlab.adain.shipped import networks
from nnlab.cli import main
from nnlab.data.images import save_image
from tests.adain.reference import image, save
from tests.datasets import write_files

READ_ONCE = functools.cache(networks)  # reading takes longer than drawing these pictures


@pytest.fixture
def pictures(workdir):
    save(workdir / "photo.jpg", 1, 50, 37)
    save(workdir / "a.png", 2)
    save_image(1 - image(3, 40, 48).flip(2), workdir / "b.png")
    return workdir


@pytest.fixture
def stylize(weight_files, capsys, monkeypatch):
    """Run the command with the test's networks in float32; give exit code, standard output and standard error."""
    monkeypatch.setattr(command, "networks", READ_ONCE)

    def call(*arguments):
        given = ["--encoder", str(weight_files[0]), "--decoder", str(weight_files[1]), "--precision", "float32"]
        code = main(["stylize", *given, *map(str, arguments)])
        return code, *capsys.readouterr()

    return call


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


@pytest.mark.parametrize(
    ("sizes", "expected"), [([], (50, 37)), (["--size", 9, "--style-size", 0], (12, 9)), (["--size", 45], (61, 45))]
)
def test_one_picture_has_the_photos_size_or_the_one_asked_for(pictures, stylize, sizes, expected):
    code, out, err = stylize("--content", "photo.jpg", "--style", "a.png", *sizes, "--output", "new/result.png")
    assert (code, out, err) == (0, "new/result.png\n", "")
    assert Image.open("new/result.png").size == expected
    assert os.listdir("new") == ["result.png"]


def test_alpha_weights_and_colours_change_the_picture(pictures, stylize):
    variants = {
        "plain": "--style a.png",
        "alpha": "--style a.png --alpha 0.4",
        "blend": "--style a.png b.png --style-weights 0.3 0.7",
        "same_ratio": "--style a.png --style b.png --style-weights 3 7",
        "one_of_two": "--style a.png b.png --style-weights 1 0",
        "colours": "--style a.png --preserve-color",
    }
    drawn = {}
    for name, options in variants.items():
        assert stylize("--content", "photo.jpg", *options.split(), "--output", f"{name}.out.png")[0] == 0
        drawn[name] = pixels(f"{name}.out.png")
    assert np.abs(drawn["blend"] - drawn["same_ratio"]).max() <= 1
    assert np.abs(drawn["plain"] - drawn["one_of_two"]).max() <= 1
    for name in ("alpha", "blend", "colours"):
        assert np.abs(drawn[name] - drawn["plain"]).max() > 1, name


@pytest.mark.parametrize("output", ["out.png", "out.webp", "out.tif", "out.heic", "out.jpg", "out.gif"])
def test_transparency_is_kept_where_the_format_holds_it(pictures, stylize, output):
    if output == "out.heic":
        pytest.importorskip("pillow_heif")
    cutout = Image.open("a.png").convert("RGBA")
    cutout.putalpha(Image.linear_gradient("L").resize(cutout.size))
    cutout.save("cutout.png")
    assert stylize("--content", "cutout.png", "--style", "b.png", "--output", output)[0] == 0
    result = Image.open(output)
    if output in ("out.jpg", "out.gif"):
        assert not result.has_transparency_data
        assert pixels(output)[0].min() > 240, "white where nothing is to be seen"
        return
    kept, given = (np.asarray(picture.getchannel("A")).astype(int) for picture in (result, cutout))
    assert np.abs(kept - given).max() <= (4 if output == "out.heic" else 0)  # which loses a little


def test_folders_give_every_content_in_every_style_under_names_that_every_disk_keeps_apart(pictures, stylize):
    """Also a disk that ignores case, and one that holds names of 255 bytes."""
    for name in ("photos/ONE.jpg", "photos/inner/one.png", "photos/one.jpg", "styles/x.jpg", f"styles/{'长' * 80}.png"):
        save(pictures / name, 4)
    arguments = ["--content", "photos", "--style", "styles", "--output", "photos/results", "--format", "webp"]
    assert stylize(*arguments)[:2] == (0, "6 of 6 pictures in photos/results\n")
    made = sorted(os.listdir("photos/results"))
    assert len({name.lower() for name in made}) == 6
    assert {"ONE_x.webp", "one.png_x.webp", "one_x-2.webp"} <= set(made)
    stylize(*arguments)
    assert sorted(os.listdir("photos/results")) == made, "the same pictures replace their own results"


def test_what_a_folder_has_beside_whole_images_is_left_out_and_listed(pictures, stylize, caplog):
    whole = save(pictures / "photos/good.jpg", 4).read_bytes()
    write_files(pictures / "photos", dict.fromkeys(("bad.jpg", "notes.txt", "README.md", "raw.CR2"), b"no picture"))
    write_files(pictures, {"photos/cut.jpg": whole[: len(whole) // 2], "styles/empty.png": b""})
    save(pictures / "photos/tiny.png", 4, 40, 8)
    save(pictures / "styles/good.jpg", 5)
    code, out, err = stylize("--content", "photos", "--style", "styles", "--output", "results", "--preserve-color")
    assert (code, out) == (0, "1 of 8 pictures in results\n")
    assert caplog.messages == ["photos: left out, for their endings are no picture's: notes.txt, raw.CR2"]
    assert err.startswith("left out:\n")
    for name in ("bad.jpg", "cut.jpg", "tiny.png: 40x8 pixels", "empty.png"):
        assert err.count(name) == 1
    assert os.listdir("results") == ["good_good.jpg"]
    code, out, err = stylize("--content", "photos", "--style", "styles/empty.png", "--output", "none")
    assert (code, out) == (1, "")
    assert err.endswith("nnlab: error: no picture was made: every one needs a file that cannot be used\n")
    assert not (pictures / "none").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--content", "no.jpg"], "no.jpg: not found"),
        (["--style", "no.png"], "no.png: not found"),
        (["--content", "bad.jpg"], "bad.jpg: not an image"),
        (["--content", "empty"], "empty: no images"),
        (["--content", "loop.jpg"], "loop.jpg: not found"),
        (["--style", "a.png", "empty"], "empty: a folder cannot be blended"),
        (["--alpha", "1.2"], "alpha = 1.2: must lie between 0 and 1"),
        (["--style-weights", "1", "2"], "2 style weights for 1 styles"),
        (["--output", "result.xyz"], "result.xyz: no image format has this ending"),
        (["--output", "photo.jpg"], "photo.jpg: is one of the input pictures"),
        (["--output", "./a.png"], "a.png: is one of the input pictures"),
        (["--output", "link.png"], "link.png: is one of the input pictures"),
        (["--content", "photos"], "result.jpg: several pictures are asked for"),
        (["--device", "abacus"], "abacus"),
        (["--decoder", "bad.jpg"], "bad.jpg: is damaged"),
        (["--encoder", "no.pth", "--decoder", "no.pth"], "no.pth: No such file or directory"),
        (["--style-weights", "-1"], "must be 0 or more"),
        (["--style-weights", "0"], "not all 0"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(pictures, stylize, arguments, message):
    (pictures / "bad.jpg").write_bytes(b"no image")
    (pictures / "loop.jpg").symlink_to("loop.jpg")
    (pictures / "link.png").symlink_to("a.png")
    (pictures / "empty").mkdir()
    save(pictures / "photos/one.jpg", 4)
    save(pictures / "photos/two.jpg", 5)
    before = sorted(os.listdir())
    options = {"--content": ["photo.jpg"], "--style": ["a.png"], "--output": ["result.jpg"]}
    options[arguments[0]] = arguments[1:]
    code, out, err = stylize(*(text for name, values in options.items() for text in [name, *values]))
    assert (code, out) == (1, "")
    assert err.startswith("nnlab: error: ")
    assert message in err
    assert err.count("\n") == 1
    assert sorted(os.listdir()) == before


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--content", "-dash.jpg"], "--content: expected one argument; see nnlab stylize --help; write ./-dash.jpg"),
        (["--style", "a.png", "-b.png"], "-b.png; see nnlab --help; write ./-b.png"),
        (["-s", "9"], "unrecognized arguments: -s 9; see nnlab --help\n"),
        (["--size", "big"], "argument --size: 'big': must be 0, or 9 to 16384 pixels; see nnlab"),
        (["--style-weights", "much"], "--style-weights: invalid float value: 'much'; see nnlab stylize --help"),
        ([], "the following arguments are required: --content, --style, --output; see nnlab stylize --help"),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_line_with_the_way_out(capsys, arguments, line):
    others = ["--content", "a.jpg", "--style", "a.png", "--output", "c.jpg"] if arguments else []
    assert main(["stylize", *others, *arguments]) == 2
    err = capsys.readouterr().err
    assert err.startswith("nnlab: error: ")
    assert line in err
    assert err.count("\n") == 1


def export(weight_files, *arguments):
    return main(["export", "--encoder", str(weight_files[0]), "--decoder", str(weight_files[1]), *map(str, arguments)])


@pytest.mark.slow
def test_onnx_files_give_what_torch_gives_at_any_size(weight_files, encoder, decoder, tmp_path, capsys):
    runtime = pytest.importorskip("onnxruntime", reason="needs the extra `dev`")
    assert export(weight_files, "--onnx", tmp_path / "new") == 0
    files = [tmp_path / "new/encoder.onnx", tmp_path / "new/decoder.onnx"]
    assert capsys.readouterr().out.split() == list(map(str, files))
    assert sorted((tmp_path / "new").iterdir()) == sorted(files)
    encode, decode = map(runtime.InferenceSession, files)
    assert "RGB in [0, 1]" in encode.get_modelmeta().description
    for height, width in ((9, 9), (64, 48), (41, 77)):
        shown = image(1, height, width)
        with torch.no_grad():
            drawn = decoder(features := encoder.encode(shown))
        found = encode.run(["features"], {"image": shown.numpy()})[0]
        assert np.abs(found - features.numpy()).max() < 1e-3
        assert np.abs(decode.run(["image"], {"features": found})[0] - drawn.numpy()).max() < 1e-3


def test_what_is_missing_for_an_export_is_one_line(weight_files, tmp_path, capsys, monkeypatch):
    assert export(weight_files) == 2
    assert export(weight_files, "--onnx", tmp_path / "a", "--output", tmp_path / "b") == 2
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    assert export(weight_files, "--onnx", tmp_path / "new") == 1
    neither, both, extra = capsys.readouterr().err.splitlines()
    assert "one of the arguments --output --onnx is required" in neither
    assert "not allowed with" in both
    assert extra.endswith("is not installed: pip install -e '.[onnx]'")
    assert not (tmp_path / "new").exists()
