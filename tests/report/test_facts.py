"""Facts by hand, and whose name a report can bear."""

import shutil

import numpy as np
import pytest
from PIL import Image

from nnlab.errors import UserError
from nnlab.params import ReportParams
from nnlab.report.facts import assigned_alpha, shown
from nnlab.report.pictures import color_distance, edges_kept, encoded
from nnlab.sections import parse
from tests.report import samples

GOOD = {"name": "张三", "student_id": "20230101", "course": "深度学习", "language": "zh"}


@pytest.mark.parametrize("name", ["张三", "买买提·艾力", "Li Ming", "O'Brien", "José", "", 20230101])
def test_real_names_are_taken_and_numbers_without_quotes(name):
    assert parse({**GOOD, "name": name}, ReportParams, "report").name == str(name)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [*(("name", name, "report: name = ") for name in ("a/b", "..", 'a"b', "$(ls)", "a\nb", " a", "-rf", "x" * 91)),
     ("student_id", True, "student_id"), ("student_id", 1.5, "student_id"), ("language", "fr", "'zh' or 'en'")],
)  # fmt: skip
def test_what_no_file_name_or_language_can_be_is_one_line(key, value, said):
    with pytest.raises(UserError, match=said) as error:
        parse({**GOOD, key: value}, ReportParams, "report")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("student_id", "alpha"),
    [("20230102", [0.3, 0.6, 0.9]), ("20230100", [0.3, 0.6, 0.9]), ("20230101", [0.2, 0.5, 0.8]),
     ("2023019X", [0.2, 0.5, 0.8]), ("学号", None), ("", None)],
)  # fmt: skip
def test_the_last_digit_decides_on_alpha(student_id, alpha):
    assert assigned_alpha(student_id) == alpha


def test_facts_by_hand(run):
    facts = samples.facts(run)
    assert list(facts["adain"]["edges"]) == [0.3, 0.6, 0.9]
    enlarged = facts["jobs"]["main"]["enlarged"]  # 500 iterations, the last 200 at full size
    assert (enlarged["iteration"], enlarged["total"]) == (300, pytest.approx(100 / 301 + 1))
    assert (enlarged["content"], enlarged["style"]) == (pytest.approx(40 / 301 + 0.5), pytest.approx(60 / 301 + 0.5))
    assert facts["jobs"]["layers"]["also"] == []
    assert facts["jobs"]["layers"]["other_layers"]
    assert facts["jobs"]["layers"]["same_pictures"]
    assert not facts["jobs"]["main"]["other_layers"]
    assert sum(map(sum, facts["fashion"]["confusion"])) == 200  # every test image
    assert [(x["name"], len(x["also"])) for x in facts["fashion"]["variants"][-2:]] == [("mlp_256_128", 0), ("cnn", 3)]
    assert len(facts["autoencoder"]["codes"]) == 3 * 200
    assert (facts["shortened"], facts["wanted_alpha"], facts["unset"]) == ([], None, [])


@pytest.mark.parametrize(
    ("wrong", "most"), [("Shirt,Coat\n" * 3 + "Coat,Shirt\n" * 2, [("Shirt", "Coat", 3)]), ("", [])]
)
def test_the_most_frequent_confusion_by_hand(run, tmp_path, wrong, most):
    root = shutil.copytree(run, tmp_path / "copy")
    (root / "plots/fashion/confusion.csv").write_text("actual,predicted\n" + "Bag,Bag\n" * 9 + wrong)
    facts = samples.facts(root, name="姓名", student_id="")
    assert (facts["fashion"]["confused"], facts["unset"]) == (most, ["report.name", "report.student_id"])


def test_parameters_are_shown_as_one_types_them(run):
    parameters = samples.facts(run, {"gatys.common.content_layer_weights": {}})["parameters"]
    assert parameters["adain"]["adain.alpha"] == "[0.3, 0.6, 0.9]"
    assert parameters["gatys"]["gatys.jobs.layers.content_layers"] == "[block5_conv2]"
    assert parameters["gatys"]["gatys.common.content_layer_weights"] == "{}"
    assert "gatys.jobs.main.content_weight" not in parameters["gatys"]  # as in gatys.common
    assert "vgg.weights" in parameters["gatys"]
    assert not [key for key in parameters["adain"] if key.startswith("adain.run")]  # how it runs changes no result
    assert parameters["hardware"] == {"hardware.precision": "auto"}
    assert shown({"a": [1, 2.5, "x"], "b": True, "c": None}) == "{a: [1, 2.5, x], b: true, c: null}"


def save(path, pixels):
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(path)
    return path


def test_likeness_of_pictures_by_hand(tmp_path):
    pixels = np.zeros((128, 128, 3))
    pixels[:, 64:] = 255
    half, negative = save(tmp_path / "half.png", pixels), save(tmp_path / "negative.png", 255 - pixels)
    assert edges_kept(half, negative) == pytest.approx(1)  # edges lie at the same places
    black = save(tmp_path / "black.png", np.zeros((40, 30, 3)))
    red = save(tmp_path / "red.png", np.full((30, 40, 3), [255, 0, 0]))
    assert color_distance(half, negative) == pytest.approx(0, abs=1e-6)
    assert color_distance(black, red) == pytest.approx((1 / 3) ** 0.5)  # one channel of three is one apart


def test_photos_become_jpeg_and_drawings_stay_whole(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (60, 80, 3))
    Image.fromarray(noise.astype(np.uint8)).resize((800, 600)).save(tmp_path / "photo.png")
    drawing = save(tmp_path / "drawing.png", np.kron(noise[:4, :8] // 255 * 255, np.ones((100, 100, 1))))
    assert encoded(tmp_path / "photo.png", (400, 400))[::2] == ("jpeg", 400)
    assert encoded(drawing)[::2] == ("png", 800)
