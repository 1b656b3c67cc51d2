"""The report's part on style transfer by optimisation."""

import re
from pathlib import Path
from typing import Any

from nnlab.report.document import (
    Chart,
    Context,
    Figure,
    Frame,
    Number,
    Quote,
    Say,
    Slider,
    Table,
    Task,
    differing,
)
from nnlab.report.document import parameters as flat_parameters
from nnlab.report.inputs import column, existing, numeric
from nnlab.report.measures import color_distance, same_shapes
from nnlab.report.tasks import formulas, reduced
from nnlab.report.tasks.gatys_layers import compare
from nnlab.report.tasks.words import change, short


def build(context: Context) -> Task:
    """Gatys from metrics/gatys.json, plots/gatys and data/results/gatys, job by job."""
    say, jobs = context.say, context.params["gatys"]["jobs"]
    folders = {job: context.inputs.results / "gatys" / job for job in jobs}
    metrics = context.inputs.metric("gatys")
    likeness = {job: _likeness(folder) for job, folder in folders.items()}
    return Task(
        key="gatys",
        title=say("基于优化的神经风格迁移（Gatys）", "Neural style transfer by optimisation (Gatys)"),
        done=_done(jobs, say),
        parameters=_parameters(context.params),
        numbers=[
            number
            for job in jobs
            for number in (
                Number(
                    say(f"{job}：加权内容损失", f"{job}: weighted content loss"), short(metrics[f"{job}.content_loss"])
                ),
                Number(say(f"{job}：加权风格损失", f"{job}: weighted style loss"), short(metrics[f"{job}.style_loss"])),
                Number(say(f"{job}：迭代次数", f"{job}: iterations"), str(metrics[f"{job}.iterations"])),
            )
        ],
        findings=_findings(context, likeness),
        figures=_figures(context),
        formulas=formulas.gatys(say),
        tables=[_table(jobs, likeness, say)],
        charts=[chart for job in jobs for chart in _charts(job, context)],
        sliders=[_slider(job, folder, say) for job, folder in folders.items()],
        quotes=[
            Quote("gatys/losses.py", "content_loss", say("内容损失", "Content loss")),
            Quote("gatys/losses.py", "_Gram.forward", say("Gram 矩阵", "Gram matrix")),
            Quote("gatys/losses.py", "style_loss", say("一层的风格损失", "Style loss of one layer")),
            Quote("gatys/objective.py", "Objective.__call__", say("加权总损失", "The weighted total")),
        ],
        warnings=[line for job in jobs for line in _warnings(job, metrics, say)],
    )


def _warnings(job: str, metrics: dict[str, Any], say: Say) -> list[str]:
    """Fewer iterations, or a smaller picture, than the project's defaults."""
    what = (f"Gatys 任务 {job} ", f"Gatys, job {job},")
    side = max(metrics[f"{job}.width"], metrics[f"{job}.height"])
    keys = f"gatys.common.iterations{say(' 或 ', ' or ')}gatys.jobs.{job}.iterations"
    return [
        *reduced.warn(what, metrics[f"{job}.iterations"], reduced.GATYS_ITERATIONS, ("次迭代", "iterations"), keys, say),
        *reduced.warn(what, side, reduced.GATYS_SIZE, ("像素（长边）", "pixels on the longer side"),
                      keys.replace("iterations", "size"), say),
    ]  # fmt: skip


def _parameters(params: dict[str, Any]) -> dict[str, str]:
    """The common values, and of each job what is its own."""
    common = params["gatys"].get("common", {})
    own = {job: differing(values, common) for job, values in params["gatys"]["jobs"].items()}
    flat = flat_parameters(common, "gatys.common") | flat_parameters(own, "gatys.jobs")
    return flat | flat_parameters(params["vgg"], "vgg")


def _done(jobs: dict[str, Any], say: Say) -> list[str]:
    coarse = next(iter(jobs.values())).get("coarse_iterations", [])
    steps = say("、", ", ").join(map(str, coarse))
    start = [say(
        f"正式优化之前，先在较小的尺寸上依次优化 {steps} 次，以其结果为起点（由粗到细）。",
        f"Before that, {steps} iterations at smaller sizes make the start (coarse to fine).",
    )] if sum(coarse) else []  # fmt: skip
    return [
        say(
            "固定预训练的 VGG19，直接优化图像的像素：使它在内容层上的特征接近内容图，在风格层上的 Gram 矩阵接近风格图。"
            "每一步之后像素都截断到 [0, 1] 之内；每隔固定的迭代次数保存一次结果。每个任务（job）有自己的内容层、风格层与权重，便于比较。",
            "VGG19 is frozen and the pixels are optimised: features at the content layers are drawn towards those of the "
            "content picture, Gram matrices at the style layers towards those of the style picture. After every step the "
            "pixels are cut to [0, 1]; the picture is saved at fixed intervals. Every job has its own content layers, style layers and weights.",
        ),
        *start,
    ]


def _likeness(folder: Path) -> dict[str, float]:
    """How much a job's result has of its content picture's shapes and of its style picture's colours."""
    content, style, result = (existing(folder / f"{name}.png") for name in ("content", "style", "result"))
    return {
        "shapes": same_shapes(content, result),
        "colors": color_distance(style, result),
        "colors_before": color_distance(style, content),
    }


def _findings(context: Context, likeness: dict[str, dict[str, float]]) -> list[str]:
    jobs = context.params["gatys"]["jobs"]
    said = [_progress(job, jobs[job]["snapshot_every"], context) for job in jobs]
    return said + compare(jobs, likeness, context.say)


def _progress(job: str, step: int, context: Context) -> str:
    """How much of the fall of a job's loss is done at its first snapshot."""
    say = context.say
    table = context.inputs.table(f"gatys/{job}_losses.csv")
    total, iterations = column(table, "total"), column(table, "iteration")
    first = next((i for i, n in enumerate(iterations) if n >= step), len(total) - 1)
    early, late = f"{iterations[first]:.0f}", f"{iterations[-1]:.0f}"
    said = say(
        f"{job}：加权总损失在前 {early} 次迭代中由 {short(total[0])} 变为 {short(total[first])}"
        f"（{change(total[0], total[first], say)}）",
        f"{job}: over the first {early} iterations the weighted total loss goes from {short(total[0])} to "
        f"{short(total[first])} ({change(total[0], total[first], say)})",
    )
    if first == len(total) - 1:
        return said + say("。", ".")
    return said + say(
        f"，到第 {late} 次迭代时为 {short(total[-1])}（再{change(total[first], total[-1], say)}）。",
        f", and to {short(total[-1])} by iteration {late} (a further {change(total[first], total[-1], say)}).",
    )


def _table(jobs: dict[str, Any], likeness: dict[str, dict[str, float]], say: Say) -> Table:
    rows = [
        [job, Path(jobs[job]["content"]).name, Path(jobs[job]["style"]).name, f"{like['shapes']:.3f}",
         f"{like['colors_before']:.3f} → {like['colors']:.3f}"]
        for job, like in likeness.items()
    ]  # fmt: skip
    columns = [
        say("任务", "job"),
        say("内容图", "content"),
        say("风格图", "style"),
        say("亮度相关系数（结果–内容图）", "brightness correlation (result, content)"),
        say("颜色距离（内容图→结果，对风格图）", "colour distance to the style (content → result)"),
    ]
    caption = say(
        "结果与内容图、风格图的接近程度（相关系数 1 为明暗分布完全相同；颜色距离 0 为均值与标准差完全相同，满刻度为 1）",
        "How near the results are to both pictures (correlation 1: light and dark at the same places; colour distance 0: "
        "equal means and deviations, full scale 1)",
    )
    return Table(caption, columns, rows)


def _charts(job: str, context: Context) -> list[Chart]:
    say = context.say
    table = context.inputs.table(f"gatys/{job}_losses.csv")
    x, values = column(table, "iteration"), numeric(table).without("iteration")
    return [Chart(say(f"{job}：损失", f"{job}: losses"), say("迭代", "iteration"), say("加权损失（对数刻度）",
            "weighted loss (log scale)"), x, values, log=True)]  # fmt: skip


def snapshots(folder: Path) -> list[Path]:
    """snapshot_<iteration>.png in order of their iterations."""
    return sorted(folder.glob("snapshot_*.png"), key=_iteration)


def _iteration(path: Path) -> int:
    return int(re.sub(r"\D", "", path.stem) or 0)


def _slider(job: str, folder: Path, say: Say) -> Slider:
    unit = say("次迭代", "iterations")
    frames = [Frame(f"{_iteration(path)} {unit}", path) for path in snapshots(folder)]
    beside = [
        Frame(say("内容图", "content"), existing(folder / "content.png")),
        Frame(say("风格图", "style"), existing(folder / "style.png")),
    ]
    return Slider(say(f"任务 {job}：迭代过程", f"Job {job}: how it grows"), frames, beside)


def _figures(context: Context) -> list[Figure]:
    say, plot, jobs = context.say, context.inputs.plot, context.params["gatys"]["jobs"]
    figures = []
    for job in jobs:
        figures += [
            Figure(plot(f"gatys/{job}_losses.png"), say(f"{job}：加权损失", f"{job}: weighted losses"), web=False),
            Figure(plot(f"gatys/{job}_snapshots.png"), say(f"{job}：迭代过程（从左到右，从上到下）",
                   f"{job}: from left to right, from top to bottom"), web=False),
            Figure(plot(f"gatys/{job}_result.png"), say(f"{job}：内容图、风格图、结果", f"{job}: content, style, result"), web=False),
        ]  # fmt: skip
    return [*figures, Figure(plot("gatys/layers.png"), say("不同层的选择", "The choices of layers side by side"))]
