import json
import shutil
from pathlib import Path

import pytest

from nnlab.errors import UserError
from nnlab.params import ASSIGNED_ITERATIONS, load_params
from nnlab.report.build import build, speaker
from nnlab.report.document import parameters, shown
from nnlab.report.tasks import reduced, words
from tests.report import samples

ROOT = Path(__file__).resolve().parents[2]

EN, ZH = speaker("en"), speaker("zh")


def built(root, params=None, **values):
    return build(params or samples.Params(), samples.section(**values), samples.inputs(root))


def task(report, key):
    return next(task for task in report.tasks if task.key == key)


@pytest.fixture
def copy(run, tmp_path):
    shutil.copytree(run, tmp_path / "copy")
    return tmp_path / "copy"


def test_the_tasks_come_in_the_assignments_order(run):
    assert [task.key for task in built(run).tasks] == ["fashion", "autoencoder", "denoiser", "gatys", "adain"]


def test_an_odd_number_with_the_even_sweep_is_told_what_to_type(run):
    (line,) = [line for line in built(run, student_id="1231", language="en").warnings if "1231" in line]
    assert "dvc exp run -S 'adain.alpha=[0.2,0.5,0.8]'" in line
    assert not [line for line in built(run, student_id="1232").warnings if "adain.alpha" in line]
    assert not [line for line in built(run, samples.Params(alpha=[0.2, 0.5, 0.8]), student_id="1231").warnings
                if "adain.alpha" in line]  # fmt: skip


def test_placeholders_stand_ins_and_short_trainings_are_said(copy):
    path = copy / "metrics/adain.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "iterations": 50}))
    lines = "\n".join(built(copy, name="姓名", student_id="学号", language="en").warnings)
    for part in ("report.name, report.student_id", "china.jpg for cornell.jpg", "50 iterations only"):
        assert part in lines


def test_findings_follow_the_numbers(copy):
    before = "\n".join(task(built(copy, language="en"), "adain").findings)
    assert "the held-out style loss goes from 5 to 3.2 (down by 36.0 %); it falls throughout" in before
    path = copy / "metrics/adain.json"
    values = json.loads(path.read_text())
    values["heldout_style_loss_50"] = 1.0
    values["heldout_style_loss_100"] = 6.0
    path.write_text(json.dumps(values))
    after = "\n".join(task(built(copy, language="en"), "adain").findings)
    assert "the held-out style loss goes from 5 to 6 (up by 20.0 %); it rises overall, not at every step" in after


def layer_lines(root, params, language):
    words = {"en": "Choice of layers", "zh": "层的选择"}[language]
    return [line for line in task(built(root, params, language=language), "gatys").findings if words in line]


@pytest.mark.parametrize(("language", "same"), [("en", "all else equal"), ("zh", "其余参数相同")])
def test_jobs_are_compared_and_all_that_differs_is_named(run, language, same):
    params = samples.Params()
    (line,) = layer_lines(run, params, language)
    assert "content_weight 5.0 → 0.1" in line
    assert same not in line
    params.values["gatys"]["jobs"]["layers"]["content_weight"] = 5.0
    (line,) = layer_lines(run, params, language)
    assert same in line
    params.values["gatys"]["jobs"]["layers"] = {**samples.JOB, "iterations": 7}
    assert not layer_lines(run, params, language), "the layers are the same"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_projects_own_jobs_are_compared(run, language):
    (line,) = layer_lines(run, load_params(ROOT / "params.yaml"), language)
    assert "block4_conv2" in line
    assert "content_weight" in line


def test_the_projects_own_settings_are_the_full_ones(run):
    values = load_params(ROOT / "params.yaml")
    assert (values.autoencoder.epochs, values.denoiser.epochs) == (reduced.AUTOENCODER_EPOCHS, reduced.DENOISER_EPOCHS)
    assert {(job.iterations, job.size) for job in values.gatys.jobs.values()} == {
        (reduced.GATYS_ITERATIONS, reduced.GATYS_SIZE)
    }
    assert reduced.ADAIN_ITERATIONS == ASSIGNED_ITERATIONS
    assert not [line for line in built(run, language="en").warnings if "reduced" in line]


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [("autoencoder", {"epochs": 2}, "The autoencoder ran at reduced settings: 2 epochs, the default is 25"),
     ("denoiser", {"epochs": 14}, "The denoiser ran at reduced settings: 14 epochs, the default is 15"),
     ("gatys", {"main": {"iterations": 9, "width": 64, "height": 48, "content_loss": 1, "style_loss": 1}},
      "Gatys, job main, ran at reduced settings: 9 iterations, the default is 400")],
)  # fmt: skip
def test_reduced_settings_are_said(copy, name, changes, said):
    path = copy / f"metrics/{name}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    lines = [line for line in built(copy, language="en").warnings if "reduced settings" in line]
    assert [line for line in lines if said in line]
    assert len(lines) == (2 if name == "gatys" else 1)  # the size of the picture, too
    assert [line for line in built(copy).warnings if "缩减的设置" in line]


@pytest.mark.parametrize(("language", "said"), [("en", "first 10,000 training images"), ("zh", "前 10,000 张训练图像")])
def test_which_images_the_training_curves_are_of_is_said(run, language, said):
    report = built(run, language=language)
    assert [number for number in task(report, "fashion").numbers if said in number.label]
    for key in ("autoencoder", "denoiser", "fashion"):
        assert [line for line in task(report, key).findings if said in line]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_axes_of_the_latent_space_are_said(run, language):
    found = task(built(run, language=language), "autoencoder")
    assert "asinh" in found.done[0]
    assert sum("asinh" in figure.caption for figure in found.figures) == 2


def test_of_how_many_pictures_the_held_out_pairs_are_is_said(copy):
    assert len(task(built(copy, language="en"), "adain").done) == 1  # older metrics do not tell
    path = copy / "metrics/adain.json"
    more = {"pairs": 64, "held_out_photos": 4, "held_out_paintings": 60}
    path.write_text(json.dumps({**json.loads(path.read_text()), **more}))
    assert (
        "64 held-out pairs are made of 4 photos and 60 paintings" in task(built(copy, language="en"), "adain").done[1]
    )
    assert "4 张照片和 60 幅画" in task(built(copy), "adain").done[1]


def test_the_confusion_matrix_counts_every_test_image(run):
    extras = task(built(run), "fashion").extras
    assert sum(map(sum, extras["confusion"]["counts"])) == 200
    assert extras["confusion"]["classes"] == samples.CLASSES


def test_how_the_training_runs_is_no_parameter_of_the_result(run):
    listed = task(built(run), "adain").parameters
    assert "adain.train.crop" in listed
    assert not [key for key in listed if key.startswith("adain.run")]


@pytest.mark.parametrize(
    "name",
    ["metrics/fashion.json", "plots/gatys/main_losses.csv", "plots/adain/alpha.png",
     "data/results/adain/alpha/content.png", "data/results/autoencoder/grid.npz", "data/results/gatys/main/result.png"],
)  # fmt: skip
@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_an_input_that_is_missing_or_damaged_is_one_line(copy, name, how):
    from nnlab.report.web import render

    if how == "missing":
        (copy / name).unlink()
    else:
        (copy / name).write_bytes(b"\x89PNG\r\n")
    with pytest.raises(UserError, match=name.rsplit("/", 1)[1].replace(".", r"\.")) as error:
        render(built(copy))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "name", ["data/results/autoencoder/grid.npz", "data/results/autoencoder/codes.csv", "plots/adain/alpha.png",
             "metrics/gatys.json", "data/raw/pair/provenance.json"],
)  # fmt: skip
def test_a_file_damaged_in_its_middle_is_one_line(copy, name):
    from nnlab.report.web import render

    path = copy / name
    whole = path.read_bytes()
    third = len(whole) // 3
    path.write_bytes(whole[:third] + b"\xff\x00," * 40 + whole[third + 120 :])
    with pytest.raises(UserError, match=path.name.replace(".", r"\.")) as error:
        render(built(copy))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "column"),
    [("data/results/autoencoder/codes.csv", "x"), ("data/results/autoencoder/codes.csv", "digit"),
     ("plots/fashion/accuracy.csv", "epoch"), ("plots/fashion/accuracy.csv", "train_loss"),
     ("plots/fashion/per_class.csv", "accuracy"), ("plots/fashion/per_class.csv", "class"),
     ("plots/fashion/confusion.csv", "predicted"), ("plots/autoencoder/loss.csv", "epoch"),
     ("plots/denoiser/loss.csv", "test_loss"), ("plots/gatys/main_losses.csv", "total"),
     ("plots/gatys/main_losses.csv", "iteration"), ("plots/adain/losses.csv", "iteration")],
)  # fmt: skip
@pytest.mark.parametrize("how", ["missing", "words"])
def test_a_column_that_is_missing_or_of_words_is_one_line(copy, name, column, how):
    path = copy / name
    header, *rows = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    at = header.index(column)
    if how == "missing":
        header[at] = "other"
    elif column in ("class", "predicted"):
        rows[1][at] = "Hat"
    else:
        rows[1][at] = "nan"
    path.write_text("\n".join(map(",".join, [header, *rows])), encoding="utf-8")
    with pytest.raises(UserError, match="dvc repro") as error:
        built(copy)
    named = "confusion.csv" if how == "words" and column == "class" else path.name  # the classes are no longer one set
    assert named in str(error.value)
    assert "\n" not in str(error.value)


def test_a_metric_that_is_missing_names_the_file(copy):
    (copy / "metrics/denoiser.json").write_text('{"noise_factor": 0.4}')
    with pytest.raises(UserError, match=r"denoiser\.json: has no .*psnr"):
        built(copy)


@pytest.mark.parametrize(
    ("values", "said"),
    [([1, 2, 3], "rises throughout"), ([3, 2, 1], "falls throughout"), ([1, 3, 2], "rises overall, not at every step"),
     ([3, 1, 2], "falls overall, not at every step"), ([2, 2], "does not change"), ([1, 2, 1], "goes up and down"),
     ([5], "does not change")],
)  # fmt: skip
def test_how_a_sequence_runs(values, said):
    assert words.course_of(values, EN) == said
    assert words.course_of(values, ZH)


def test_changes_in_words():
    assert words.change(2, 1, EN) == "down by 50.0 %"
    assert words.change(2, 3, EN) == "up by 50.0 %"
    assert words.change(0, 3, EN) == "from 0 to 3"
    assert words.change(1, 1.0001, EN) == "almost unchanged"


def test_parameters_are_shown_as_one_types_them():
    assert parameters({"a": {"b": [1, 2.5], "c": True}, "d": {}}, "x") == {
        "x.a.b": "[1, 2.5]",
        "x.a.c": "true",
        "x.d": "{}",
    }
    assert shown((0.2, 0.5)) == "[0.2, 0.5]"
