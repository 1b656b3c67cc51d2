"""The report as one self-contained web page: no network, opens from disk, works on a phone."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np
from markupsafe import Markup

from nnlab.figures import PALETTE, TEN_COLORS
from nnlab.report.document import Report, Slider
from nnlab.report.encode import picture, sprite, vector
from nnlab.report.typeset import formulas_as_svg, template

_WORDS = {  # what the page itself says, besides the tasks
    "zh": {
        "author": "姓名", "id": "学号", "course": "课程", "contents": "目录", "assets": "实际使用的数据与权重",
        "stand_in": "替代素材", "files": "文件", "parameters": "参数", "play": "播放", "pause": "暂停",
        "confusion": "混淆矩阵", "actual": "真实类别", "predicted": "预测类别", "images": "张", "findings": "结果说明",
        "per_class": "各类别的测试准确率", "latent": "潜空间", "notice": "请注意", "formulas": "公式", "key": "参数",
        "value": "取值", "nearest": "最近的测试图像是数字", "decoded": "该点的解码结果", "of_row": "占该类",
        "latent_help": "移动指针、拖动，或用两个滑块选择潜空间中的一点，右侧显示解码器在该点生成的数字。坐标轴为 "
                       "asinh((编码 − 中位数) / 尺度)，网格在这样的坐标轴上均匀。",
        "confusion_help": "移动指针、点击，或用方向键查看每一格。", "chart_help": "移动指针，或用左右方向键查看数值。",
        "name": "名称", "source": "来源", "note": "说明",
    },
    "en": {
        "author": "Name", "id": "Student number", "course": "Course", "contents": "Contents",
        "assets": "Data and weights that were really used", "stand_in": "stand-in", "files": "files",
        "parameters": "Parameters", "play": "Play", "pause": "Pause", "confusion": "Confusion matrix",
        "actual": "actual", "predicted": "predicted", "images": "images", "findings": "What the numbers show",
        "per_class": "Test accuracy per class", "latent": "Latent space", "notice": "Please note",
        "formulas": "Formulas", "key": "parameter", "value": "value", "nearest": "the nearest test image is a",
        "decoded": "decoded here", "of_row": "of its class",
        "latent_help": "Point, drag, or use the two sliders to choose a place in the latent space; the digit that the "
                       "decoder makes of it is beside it. Axes: asinh((code − median) / scale), on which the grid is "
                       "uniform.",
        "confusion_help": "Point, tap, or use the arrow keys to read a cell.",
        "chart_help": "Point, or use the left and right arrow keys, to read the values.",
        "name": "name", "source": "source", "note": "note",
    },
}  # fmt: skip


def render(report: Report) -> str:
    """The page as HTML text, the same for the same report."""
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    words = _WORDS[report.language]
    latent = next((_latent(task.extras["latent"]) for task in report.tasks if "latent" in task.extras), None)
    colors = {"palette": PALETTE, "digits": TEN_COLORS}
    data: dict[str, Any] = {"words": words, **colors, "charts": _charts(report), "latent": latent}
    return environment.from_string(template("page.html.j2")).render(
        report=report,
        words=words,
        css=Markup(template("page.css")),
        js=Markup(template("page.js")),
        data=Markup(_island(data)),
        formulas=_formulas(report),
        figures={
            task.key: [{"caption": f.caption, **picture(f.path)} for f in task.figures if f.web]
            for task in report.tasks
        },
        sliders={task.key: [_slider(slider) for slider in task.sliders] for task in report.tasks},
        charts={task.key: [(f"{task.key}-{i}", chart) for i, chart in enumerate(task.charts)] for task in report.tasks},
    )


def _formulas(report: Report) -> dict[str, list[dict[str, str]]]:
    """Every task's formulas as pictures; all are typeset at once."""
    pairs = [(task, formula) for task in report.tasks for formula in task.formulas]
    drawn: dict[str, list[dict[str, str]]] = {task.key: [] for task in report.tasks}
    for (task, formula), svg in zip(pairs, formulas_as_svg([formula.math for _, formula in pairs])):
        drawn[task.key].append({"words": formula.words, "alt": formula.math, "uri": vector(svg)})
    return drawn


def _charts(report: Report) -> dict[str, Any]:
    return {f"{task.key}-{i}": asdict(chart) for task in report.tasks for i, chart in enumerate(task.charts)}


def _slider(slider: Slider) -> dict[str, Any]:
    def framed(frames: list) -> list[dict[str, Any]]:
        return [{"label": frame.label, **picture(frame.path, 512)} for frame in frames]

    return {
        "title": slider.title,
        "note": slider.note,
        "frames": framed(slider.frames),
        "beside": framed(slider.beside),
    }


def _latent(latent: dict[str, Any]) -> dict[str, Any]:
    """Codes as integers of 1/1000 (a pixel is coarser than that), and the decoded grid as one sheet of pictures."""
    codes = [[round(1000 * x), round(1000 * y), digit] for x, y, digit in latent["codes"]]
    return {
        "codes": [number for code in codes for number in code],
        "xs": latent["xs"],
        "ys": sorted(latent["ys"], reverse=True),  # row 0 of the sheet is the highest y
        "side": int(np.asarray(latent["images"]).shape[-1]),
        "sheet": sprite(np.asarray(latent["images"])),
    }


def _island(data: dict[str, Any]) -> str:
    """JSON that can stand inside a script element: no character that HTML could read as markup."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
