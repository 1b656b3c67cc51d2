import numpy as np
import pytest
from PIL import Image

from nnlab.report.measures import color_distance, same_shapes


def save(path, pixels):
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(path)
    return path


@pytest.fixture
def half(tmp_path):
    """Left half black, right half white."""
    pixels = np.zeros((128, 128, 3))
    pixels[:, 64:] = 255
    return save(tmp_path / "half.png", pixels)


def test_a_picture_has_its_own_shapes_and_colours(half):
    assert same_shapes(half, half) == pytest.approx(1)
    assert color_distance(half, half) == 0


def test_a_negative_has_opposite_shapes_but_the_same_colours(half, tmp_path):
    negative = save(tmp_path / "negative.png", 255 - np.asarray(Image.open(half)))
    assert same_shapes(half, negative) == pytest.approx(-1)
    assert color_distance(half, negative) == pytest.approx(0, abs=1e-6)


def test_a_flat_picture_has_no_shapes(half, tmp_path):
    assert same_shapes(half, save(tmp_path / "flat.png", np.full((64, 64, 3), 90))) == 0


def test_colour_distance_by_hand(tmp_path):
    black = save(tmp_path / "black.png", np.zeros((40, 30, 3)))
    red = save(tmp_path / "red.png", np.full((30, 40, 3), [255, 0, 0]))
    assert color_distance(black, red) == pytest.approx((1 / 3) ** 0.5)  # one channel of three is one apart
