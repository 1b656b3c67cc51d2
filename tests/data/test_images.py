"""The one reader of pictures: what a viewer shows is right, whatever cameras and tools wrote. And the writer."""

import io
import os
import re
import struct
import warnings
from contextlib import suppress

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms, features

from nnlab.data import decoding
from nnlab.data.decoding import decode
from nnlab.data.images import list_images, read_image, resize_shorter, save_image, to_pil
from nnlab.data.tensors import to_tensor
from nnlab.errors import UserError
from tests.datasets import write_files

RED, GREEN, WHITE = (255, 0, 0), (0, 128, 0), (255, 255, 255)


def pixel(path, at=(0, 0)):
    image = read_image(path)
    assert image.mode == "RGB"
    return image.getpixel(at)


def photo(size=(40, 30)):
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


@pytest.mark.parametrize(
    ("name", "options"),
    [("a.png", {}), ("palette.png", {"transparency": 1}), ("a.webp", {"lossless": True, "exact": True})],
)
def test_alpha_is_laid_over_white_or_kept(tmp_path, name, options):
    image, path = Image.new("RGBA", (2, 1), (*RED, 255)), tmp_path / name
    image.putpixel((1, 0), (0, 0, 255, 0))
    if "transparency" in options:
        image = Image.frombytes("P", (2, 1), b"\0\1")
        image.putpalette([*RED, 0, 0, 255])
    image.save(path, **options)
    assert pixel(path) == RED
    assert pixel(path, (1, 0)) == WHITE
    kept = read_image(path, alpha=True)
    assert (kept.mode, kept.getpixel((1, 0))) == ("RGBA", (0, 0, 255, 0))


@pytest.mark.parametrize(
    ("mode", "tone", "options"), [("L", 255, {}), ("LA", 255, {}), ("1", 255, {}), ("L", 7, {"transparency": 7})]
)
def test_grey(tmp_path, mode, tone, options):
    Image.new("L", (3, 3), tone).convert(mode).save(tmp_path / "a.png", **options)
    assert pixel(tmp_path / "a.png") == WHITE


@pytest.mark.parametrize(
    ("kind", "values", "shown"),
    [
        ("uint16", [0, 32768, 65535], [0, 128, 255]),
        ("uint16", [0, 2040, 4080], [0, 127, 254]),  # twelve bits: white is 4095
        ("uint16", [0, 100, 200], [0, 100, 200]),
        ("int32", [0, 148, 255], [0, 148, 255]),
        ("int32", [-5, 50_000, 100_000], [0, 128, 255]),
        ("float32", [0.0, 0.5, 1.0, np.nan, np.inf], [0, 128, 255, 0, 255]),
        ("float32", [0.0, 148.0, 255.0], [0, 148, 255]),
        ("float32", [np.nan, np.inf], [0, 255]),
        ("float32", [0.0, *[0.5] * 300, 1.25], [0, *[128] * 300, 255]),  # a highlight is clipped, the rest stays
    ],
)
def test_deep_greys_keep_their_tones(tmp_path, kind, values, shown):
    for suffix in (".png", ".tif") if kind == "uint16" else (".tif",):  # PNG has integers of up to 16 bits
        Image.fromarray(np.array([values], dtype=kind)).save(tmp_path / f"a{suffix}")
        assert [pixel(tmp_path / f"a{suffix}", (x, 0)) for x in range(len(values))] == [(tone,) * 3 for tone in shown]
    if kind == "uint16":  # a scan whose white is zero
        black = (struct.pack("<HHII", 262, 3, 1, value) for value in (1, 0))
        (tmp_path / "a.tif").write_bytes((tmp_path / "a.tif").read_bytes().replace(*black))
        assert pixel(tmp_path / "a.tif", (1, 0)) == (255 - shown[1],) * 3


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_cmyk(tmp_path, suffix):
    Image.new("RGB", (16, 16), GREEN).convert("CMYK").save(tmp_path / f"a{suffix}")
    assert np.abs(np.subtract(pixel(tmp_path / f"a{suffix}"), GREEN)).max() <= 3


def exif(*entries):
    """An EXIF block with these (tag, type, count, four bytes), little-endian."""
    table = b"".join(struct.pack("<HHI", *entry[:3]) + entry[3] for entry in entries)
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(entries)) + table + bytes(4)


TURNED = (0x0112, 3, 1, b"\6\0\0\0")  # orientation 6 turns left to top


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("plain.jpg", {"exif": exif(TURNED)}),
        ("odd unit.jpg", {"exif": exif(TURNED, (0x0128, 2, 3, b"2\0\0\0"))}),
        ("odd width.jpg", {"exif": exif(TURNED, (0x0100, 5, 1, b"\xff\xff\xff\xff"))}),
        ("a.png", {"exif": exif(TURNED)}),
        ("a.webp", {"exif": exif(TURNED)}),
        ("a.tif", {"tiffinfo": {0x0112: 6}}),
    ],
)
def test_orientation_counts_whatever_else_stands_in_exif(tmp_path, name, options):
    image = Image.new("RGB", (20, 10), WHITE)
    image.paste(RED, (0, 0, 10, 10))  # red on the left
    image.save(tmp_path / name, **options)
    save_image(read_image(tmp_path / name), tmp_path / "again.png")  # which must not turn it again
    for turned in (read_image(tmp_path / name), read_image(tmp_path / "again.png")):
        assert turned.size == (10, 20)
        assert turned.getpixel((5, 2))[1] < 60
    image.save(tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" + b"\xff" * 40)  # damaged
    assert read_image(tmp_path / "a.jpg").size == (20, 10)


def swapped():
    """sRGB's profile with red and blue swapped, under another name."""
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for old, new in ((b"rXYZ", b"????"), (b"bXYZ", b"rXYZ"), (b"????", b"bXYZ")):
        data = data.replace(old, new)
    return data.replace("sRGB".encode("utf-16-be"), "sBGR".encode("utf-16-be"))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "alpha.png"])
def test_a_colour_profile_is_applied(tmp_path, name):
    image = Image.new("RGBA" if "alpha" in name else "RGB", (16, 16), (20, 30, 220))
    image.save(tmp_path / name, icc_profile=swapped())
    save_image(read_image(tmp_path / name), tmp_path / "again.png")
    for file in (name, "again.png"):
        assert np.abs(np.subtract(pixel(tmp_path / file), (220, 30, 20))).max() <= 3


@pytest.mark.parametrize(("profile", "mode"), [(b"no profile", "RGB"), (swapped()[:200], "RGB"), (swapped(), "L")])
def test_a_profile_that_does_not_fit_is_a_line_and_no_more(tmp_path, profile, mode, caplog):
    Image.new("RGB", (4, 4), WHITE).convert(mode).save(tmp_path / "a.png", icc_profile=profile)
    assert pixel(tmp_path / "a.png") == WHITE
    assert caplog.messages == [f"{tmp_path / 'a.png'}: its colour profile cannot be used; read as sRGB"]


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp"])
def test_of_an_animation_the_first_frame_is_read_and_a_line_says_so(tmp_path, suffix, caplog):
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, GREEN)]
    options = {"lossless": True} if suffix == ".webp" else {}
    frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:], **options)
    assert pixel(tmp_path / f"a{suffix}") == RED
    assert caplog.messages == [f"{tmp_path}/a{suffix}: an animation of 2 frames; the first one is used"]


def test_the_full_page_of_a_tiff_is_read_and_the_full_picture_of_a_phone(tmp_path, caplog):
    pages = [photo((16, 12)), photo(), photo().transpose(Image.Transpose.ROTATE_180)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:], tiffinfo={254: 1})
    assert read_image(tmp_path / "a.tif").tobytes() == photo().tobytes()
    assert caplog.messages == [f"{tmp_path / 'a.tif'}: 3 pages; the largest one is used"]
    caplog.clear()
    photo().save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[photo((16, 12))])
    assert read_image(tmp_path / "a.jpg").size == (40, 30)
    assert caplog.messages == []


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
@pytest.mark.parametrize("name", ["a.avif", "a.jpg"])
def test_avif_is_read(tmp_path, name):
    Image.new("RGB", (16, 16), GREEN).save(tmp_path / name, "AVIF", quality=95)
    assert np.abs(np.subtract(pixel(tmp_path / name), GREEN)).max() <= 3


def test_heic_is_read_with_its_package_and_refused_by_name_without(tmp_path, monkeypatch):
    (tmp_path / "a.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200))
    with monkeypatch.context() as patch:
        patch.setattr(decoding, "pillow_heif", None)
        with pytest.raises(UserError, match=r"a\.jpg: HEIC: needs `pip install pillow-heif`, or save it as \.jpg"):
            read_image(tmp_path / "a.jpg")
    heif = pytest.importorskip("pillow_heif")
    heif.from_pillow(Image.new("RGB", (64, 64), GREEN)).save(tmp_path / "b.heic")
    assert np.abs(np.subtract(pixel(tmp_path / "b.heic"), GREEN)).max() <= 4


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}])
def test_a_jpeg_without_its_end_marker_is_whole_and_without_data_is_not(tmp_path, options):
    photo((100, 75)).save(tmp_path / "a.jpg", **options)
    whole, expected = (tmp_path / "a.jpg").read_bytes(), read_image(tmp_path / "a.jpg").tobytes()
    for data in (whole[:-1], whole[:-2], whole + b"SEFH" + bytes(300)):
        (tmp_path / "a.jpg").write_bytes(data)
        assert read_image(tmp_path / "a.jpg").tobytes() == expected
    restarts = [match.start() for match in re.finditer(rb"\xff[\xd0-\xd7]", whole)]
    for end in (*(len(whole) - lost for lost in (3, 4, 8, 40, 200, 1000)), *restarts):
        (tmp_path / "a.jpg").write_bytes(whole[:end])
        with pytest.raises(UserError, match=r"a\.jpg: damaged image"):
            read_image(tmp_path / "a.jpg")


def test_a_jpeg_is_decoded_smaller_but_never_below_the_side_asked_for():
    buffer = io.BytesIO()
    photo((400, 320)).save(buffer, "JPEG")
    assert [decode(buffer.getvalue(), side)[0].size for side in (0, 200, 160, 81, 80, 1)] == [
        (400, 320), (400, 320), (200, 160), (200, 160), (100, 80), (50, 40),
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".gif", ".bmp", ".tif", ".webp"])
def test_a_damaged_file_is_one_line_with_its_name(tmp_path, suffix):
    """A cut one always; one with other bytes in its head may still be a picture."""
    path, draws = tmp_path / f"a{suffix}", np.random.default_rng(1)
    photo().save(path)
    whole = path.read_bytes()
    for length in (0, 1, 8, *draws.integers(2, len(whole) * 9 // 10, 25)):
        path.write_bytes(whole[:length])
        with pytest.raises(UserError, match=f"^{path}: [^\n]*$"):
            read_image(path)
    for _ in range(60):
        other = bytearray(whole)
        for position in draws.integers(0, min(len(whole), 400), 4):
            other[position] = draws.integers(256)
        path.write_bytes(other)
        with suppress(UserError):  # no other error
            read_image(path)


@pytest.mark.parametrize("content", [b"", b"no image at all", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"])
def test_not_an_image(tmp_path, content):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(UserError, match=rf"a\.jpg: not an image that can be read \({len(content)} bytes\)"):
        read_image(tmp_path / "a.jpg")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_large_picture_is_read_without_a_warning_and_a_bomb_is_refused_in_one_line(tmp_path, monkeypatch):
    assert 2 * Image.MAX_IMAGE_PIXELS > 12_000 * 9_000  # a phone's picture
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    photo((60, 30)).save(tmp_path / "phone.png")
    photo((60, 40)).save(tmp_path / "bomb.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a warning would be a second line
        assert read_image(tmp_path / "phone.png").size == (60, 30)
        with pytest.raises(UserError, match=r"bomb\.png: too large: .* exceeds limit of 2000 pixels"):
            read_image(tmp_path / "bomb.png")


def test_missing_folder_link_loop_and_pipe(tmp_path):
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    for name in ("missing", "loop", "folder", "pipe"):
        reason = "not found" if name in ("missing", "loop") else "not a regular file"
        with pytest.raises(UserError, match=rf"{name}\.png: {reason}"):
            read_image(tmp_path / f"{name}.png")


def test_list_images(tmp_path):
    names = ("b/2.JPG", "b/1.png", "a.webp", ".hidden/x.png", "b/.x.png", "notes.txt")
    write_files(tmp_path, dict.fromkeys(names, b""))
    (tmp_path / "b" / "again").symlink_to(tmp_path)  # a loop of folders
    assert [str(path.relative_to(tmp_path)) for path in list_images(tmp_path)] == ["a.webp", "b/1.png", "b/2.JPG"]
    with pytest.raises(UserError, match="not a folder"):
        list_images(tmp_path / "absent")


def test_resize_keeps_the_aspect():
    assert resize_shorter(photo(), 60).size == (80, 60)
    assert resize_shorter(photo((30, 41)), 15).size == (15, 20)
    assert resize_shorter(photo(), 0).size == (40, 30)
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
    assert os.listdir(tmp_path) == ["new"]


@pytest.mark.parametrize(("suffix", "side"), [(".webp", 16_383), (".jpg", 65_500), (".JPEG", 65_500), (".gif", 65_535)])
def test_a_picture_that_its_format_cannot_hold_is_named(tmp_path, suffix, side):
    save_image(Image.new("RGB", (side, 2)), tmp_path / f"a{suffix}")
    with pytest.raises(UserError, match=rf"b\{suffix}: 2x{side + 1} pixels, but .* holds at most .*use \.png"):
        save_image(Image.new("RGB", (2, side + 1)), tmp_path / f"b{suffix}")
