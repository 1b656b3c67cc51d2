import json
import shutil

import pytest

from nnlab.errors import UserError
from nnlab.report.build import build, speaker
from nnlab.report.document import parameters, shown
from nnlab.report.tasks import words
from tests.report import samples

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


def test_jobs_that_differ_in_more_than_layers_are_not_compared(run):
    params = samples.Params()
    assert [line for line in task(built(run, params, language="en"), "gatys").findings if "Choice of layers" in line]
    params.values["gatys"]["jobs"]["layers"]["iterations"] = 7
    assert not [
        line for line in task(built(run, params, language="en"), "gatys").findings if "Choice of layers" in line
    ]


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
