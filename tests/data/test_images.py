import os
import struct
import warnings
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from nnlab.data.images import (
    MAX_PIXELS,
    list_images,
    load_image,
    read_image,
    resize_shorter,
    save_image,
    to_pil,
    to_tensor,
)
from nnlab.errors import UserError

RED, GREEN, WHITE = (255, 0, 0), (0, 128, 0), (255, 255, 255)


def pixel(path, at=(0, 0)):
    image = read_image(path)
    assert image.mode == "RGB"
    return image.getpixel(at)


def png_header(width, height):
    """A PNG that claims a size and holds no pixels."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    end = b"\0\0\0\0IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
    data = b"\0\0\0\0IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body)) + data + end


def photo(size=(40, 30)):
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


def test_alpha_is_laid_over_white(tmp_path):
    image = Image.new("RGBA", (2, 1), (*RED, 255))
    image.putpixel((1, 0), (0, 0, 0, 0))
    image.save(tmp_path / "a.png")
    assert pixel(tmp_path / "a.png") == RED
    assert pixel(tmp_path / "a.png", (1, 0)) == WHITE


def test_palette_with_alpha(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, 0, 0, 255])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "a.png", transparency=1)
    assert pixel(tmp_path / "a.png") == RED
    assert pixel(tmp_path / "a.png", (1, 0)) == WHITE


@pytest.mark.parametrize("mode", ["L", "LA", "1"])
def test_grey(tmp_path, mode):
    Image.new("L", (3, 3), 255).convert(mode).save(tmp_path / "a.png")
    assert pixel(tmp_path / "a.png") == WHITE


def test_grey_with_a_transparent_level(tmp_path):
    Image.new("L", (2, 2), 7).save(tmp_path / "a.png", transparency=7)
    assert pixel(tmp_path / "a.png") == WHITE


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_are_scaled_not_clipped(tmp_path, suffix):
    Image.fromarray(np.array([[0, 32768, 65535]], dtype=np.uint16)).save(tmp_path / f"a{suffix}")
    assert [pixel(tmp_path / f"a{suffix}", (x, 0))[0] for x in range(3)] == [0, 128, 255]


def test_floats_from_0_to_1(tmp_path):
    Image.fromarray(np.array([[0.0, 0.5, 1.0, np.nan]], dtype=np.float32)).save(tmp_path / "a.tif")
    assert [pixel(tmp_path / "a.tif", (x, 0))[0] for x in range(4)] == [0, 128, 255, 0]


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_cmyk(tmp_path, suffix):
    Image.new("RGB", (16, 16), GREEN).convert("CMYK").save(tmp_path / f"a{suffix}")
    assert np.abs(np.subtract(pixel(tmp_path / f"a{suffix}"), GREEN)).max() <= 3


def test_exif_rotation(tmp_path):
    image = Image.new("RGB", (20, 10), WHITE)
    image.paste(RED, (0, 0, 10, 10))  # red on the left; orientation 6 turns left to top
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.jpg", exif=exif, quality=95)
    turned = read_image(tmp_path / "a.jpg")
    assert turned.size == (10, 20)
    assert turned.getpixel((5, 2))[1] < 60


def test_damaged_exif_is_ignored(tmp_path):
    photo().save(tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" + b"\xff" * 40)
    assert read_image(tmp_path / "a.jpg").size == (40, 30)


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp"])
def test_animation_gives_its_first_frame(tmp_path, suffix):
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, GREEN)]
    options = {"lossless": True} if suffix == ".webp" else {}
    frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:], **options)
    assert pixel(tmp_path / f"a{suffix}") == RED


def test_one_pixel(tmp_path):
    Image.new("RGB", (1, 1), RED).save(tmp_path / "a.png")
    assert load_image(tmp_path / "a.png").shape == (1, 3, 1, 1)
    assert load_image(tmp_path / "a.png", 32).shape == (1, 3, 32, 32)


def test_wrong_ending_is_no_matter(tmp_path):
    photo().save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert read_image(tmp_path / "a.jpg").size == (40, 30)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".gif", ".bmp", ".tif", ".webp"])
def test_cut_at_any_length(tmp_path, suffix):
    path = tmp_path / f"whole{suffix}"
    photo().save(path)
    whole = path.read_bytes()
    cut = tmp_path / f"cut{suffix}"
    rng = np.random.default_rng(1)
    for length in [0, 1, 8, *rng.integers(2, len(whole) * 9 // 10, 25)]:
        cut.write_bytes(whole[:length])
        with pytest.raises(UserError, match=f"cut{suffix}: ") as caught:
            read_image(cut)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".gif", ".bmp", ".tif", ".webp"])
def test_flipped_bytes_give_a_picture_or_one_line(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    photo().save(path)
    whole = path.read_bytes()
    rng = np.random.default_rng(2)
    lines = []
    for _ in range(60):
        broken = bytearray(whole)
        for position in rng.integers(0, min(len(whole), 400), 4):
            broken[position] = rng.integers(256)
        path.write_bytes(broken)
        try:
            read_image(path)
        except UserError as error:
            lines.append(str(error))
    assert all(line.startswith(f"{path}: ") and "\n" not in line for line in lines)


@pytest.mark.parametrize("content", [b"", b"no image at all", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"])
def test_not_an_image(tmp_path, content):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(UserError, match=rf"a\.jpg: not an image that can be read \({len(content)} bytes\)"):
        read_image(tmp_path / "a.jpg")


@pytest.mark.parametrize("side", [10_000, 50_000])  # beyond the limit, and beyond twice the limit
def test_bomb_is_refused_in_one_line(tmp_path, side):
    (tmp_path / "bomb.png").write_bytes(png_header(side, side))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a warning would be a second line
        with pytest.raises(UserError, match=rf"bomb\.png: more than {MAX_PIXELS:,} pixels"):
            read_image(tmp_path / "bomb.png")


def test_narrow_strip_does_not_grow_without_limit(tmp_path):
    Image.new("RGB", (1, 20_000)).save(tmp_path / "strip.png")
    with pytest.raises(UserError, match=r"strip\.png: a strip of 1x20000 pixels"):
        load_image(tmp_path / "strip.png", 512)


def test_missing_folder_link_loop_and_pipe(tmp_path):
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    for name, reason in {
        "missing.png": "not found",
        "loop.png": "a link that leads nowhere",
        "folder.png": "a folder",
        "pipe.png": "not a regular file",
    }.items():
        with pytest.raises(UserError, match=f"{name}: {reason}"):
            read_image(tmp_path / name)


def test_name_that_is_not_utf8(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.png")
    try:
        photo().save(path)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert list_images(tmp_path) == [path]
    assert read_image(path).size == (40, 30)


def test_list_images(tmp_path):
    for name in ("b/2.JPG", "b/1.png", "a.webp", ".hidden/x.png", "b/.x.png", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "b" / "again").symlink_to(tmp_path)  # a loop of folders
    assert [str(path.relative_to(tmp_path)) for path in list_images(tmp_path)] == ["a.webp", "b/1.png", "b/2.JPG"]
    with pytest.raises(UserError, match="not a folder"):
        list_images(tmp_path / "absent")


def test_resize_keeps_the_aspect():
    assert resize_shorter(photo((40, 30)), 60).size == (80, 60)
    assert resize_shorter(photo((30, 41)), 15).size == (15, 20)
    assert resize_shorter(photo((40, 30)), 0).size == (40, 30)
    assert resize_shorter(photo((1000, 2)), 1).size == (500, 1)


def test_tensors_are_the_pixels(tmp_path):
    image = photo()
    tensor = to_tensor(image)
    assert tensor.shape == (1, 3, 30, 40)
    assert tensor.dtype == torch.float32
    assert tensor[0, :, 2, 5].mul(255).tolist() == pytest.approx(image.getpixel((5, 2)))
    assert to_pil(tensor).tobytes() == image.tobytes()
    assert to_pil(torch.tensor([2.0, -1.0, 0.5])[:, None, None]).getpixel((0, 0)) == (255, 0, 128)


def test_save_is_whole_or_absent(tmp_path):
    save_image(photo(), tmp_path / "new" / "a.png")
    assert read_image(tmp_path / "new" / "a.png").tobytes() == photo().tobytes()
    with pytest.raises(UserError, match="no image format"):
        save_image(photo(), tmp_path / "a.xyz")
    assert not (tmp_path / "a.xyz").exists()


@pytest.mark.parametrize(("suffix", "side"), [(".webp", 16_383), (".jpg", 65_500), (".JPEG", 65_500), (".gif", 65_535)])
def test_a_picture_that_its_format_cannot_hold_is_named(tmp_path, suffix, side):
    save_image(Image.new("RGB", (side, 2)), tmp_path / f"a{suffix}")
    with pytest.raises(UserError, match=rf"b\{suffix}: 2x{side + 1} pixels, but .* holds at most .*use \.png"):
        save_image(Image.new("RGB", (2, side + 1)), tmp_path / f"b{suffix}")
