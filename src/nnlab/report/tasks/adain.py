"""The report's part on AdaIN."""

from pathlib import Path
from typing import Any

from nnlab.errors import UserError
from nnlab.report.document import Chart, Context, Figure, Frame, Number, Quote, Say, Slider, Table, Task
from nnlab.report.document import parameters as flat_parameters
from nnlab.report.inputs import column, existing, numeric
from nnlab.report.tasks import formulas
from nnlab.report.tasks.adain_findings import per_checkpoint, strength, training
from nnlab.report.tasks.reduced import ADAIN_ITERATIONS
from nnlab.report.tasks.words import short


def build(context: Context) -> Task:
    """AdaIN from metrics/adain.json, plots/adain and data/results/adain."""
    say, results = context.say, context.inputs.results / "adain"
    metrics = context.inputs.metric("adain")
    section = context.params["adain"]
    checkpoints = _numbered(results / "checkpoints")
    alphas = _numbered(results / "alpha", "alpha_")
    return Task(
        key="adain",
        title=say("自适应实例归一化风格迁移（AdaIN）", "Style transfer with adaptive instance normalisation (AdaIN)"),
        done=_done(section, metrics, say),
        parameters=flat_parameters({key: value for key, value in section.items() if key != "run"}, "adain"),
        numbers=[
            Number(say("训练迭代", "training iterations"), f"{metrics['iterations']:,}"),
            Number(say("留出集内容损失", "held-out content loss"), short(metrics["heldout_content_loss"])),
            Number(say("留出集风格损失", "held-out style loss"), short(metrics["heldout_style_loss"])),
        ],
        findings=[*training(metrics, checkpoints, say), *strength(results / "alpha", alphas, section["alpha"], say)],
        figures=_figures(context),
        formulas=formulas.adain(section["train"], say),
        tables=[_table(metrics, checkpoints, say)],
        charts=_charts(context),
        sliders=_sliders(results, checkpoints, alphas, say),
        quotes=[
            Quote("adain/statistics.py", "_MeanStd.forward", say("均值与标准差", "Mean and deviation")),
            Quote("adain/model.py", "adain_statistics", "AdaIN"),
            Quote("adain/losses.py", "content_loss", say("内容损失", "Content loss")),
            Quote("adain/losses.py", "style_loss", say("风格损失", "Style loss")),
            Quote("adain/losses.py", "decoding_losses", say("一次迭代的两个损失", "Both losses of an iteration")),
            Quote("adain/stylize.py", "blend", say("风格强度 α 的混合", "Blending with the strength α")),
        ],
        warnings=_warnings(section["train"], metrics, say),
    )


def _warnings(train: dict[str, Any], metrics: dict[str, Any], say: Say) -> list[str]:
    """Too few iterations, and training sets that are not the paper's."""
    said = []
    if metrics["iterations"] < ADAIN_ITERATIONS:
        said.append(say(
            f"AdaIN 只训练了 {metrics['iterations']:,} 次迭代，作业要求至少 {ADAIN_ITERATIONS:,} 次"
            "（params.yaml 中的 adain.train.max_iter）。",
            f"AdaIN was trained for {metrics['iterations']:,} iterations only; the assignment asks for at least "
            f"{ADAIN_ITERATIONS:,} (adain.train.max_iter in params.yaml).",
        ))  # fmt: skip
    sample = {kind for kind in ("content", "style") if train.get(kind) == "sample"}
    words = {"content": say("GCompris 的 174 张照片（而不是 MS-COCO）", "174 photos of GCompris (not MS-COCO)"),
             "style": say("GCompris 的 23 幅画（而不是 WikiArt）", "23 paintings of GCompris (not WikiArt)")}  # fmt: skip
    if sample:
        sets = say("和", " and ").join(words[kind] for kind in words if kind in sample)
        said.append(say(f"AdaIN 的训练数据包括{sets}。", f"AdaIN was trained on {sets}."))
    return said


def _done(section: dict[str, Any], metrics: dict[str, Any], say: Say) -> list[str]:
    train = section["train"]
    finish, late, partners = train["finish"], ("", ""), ("", "")
    pairs = f"{train['batch_size']} pair{'s' * (train['batch_size'] > 1)}"
    if train["partners"] > 1:
        partners = (
            f"（每次编码的照片与 {train['partners']} 幅画配对，反之亦然）",
            f" (an encoded photo meets {train['partners']} paintings, and the other way round)",
        )
    if finish["share"]:
        late = (
            f"，最后 {finish['share']:.0%} 的迭代裁剪 {finish['crop']} 像素（短边 {finish['resize']} 像素）",
            f", in the last {finish['share']:.0%} of the iterations of {finish['crop']} pixels "
            f"(shorter side {finish['resize']})",
        )
    return [
        say(
            f"编码器（VGG19 到 relu4_1，滤波器已归一化）保持固定，只训练解码器：{metrics['iterations']:,} 次迭代，"
            f"每批 {train['batch_size']} 对图像{partners[0]}，随机裁剪 {train['crop']} 像素（短边缩放到 {train['resize']} 像素）{late[0]}，Adam；"
            "内容损失、风格损失、学习率与示例图像写入 TensorBoard（在项目文件夹中运行 tensorboard --logdir runs 查看）。"
            "然后用训练途中保存的检查点处理同一对图像，把两张照片变成同一种风格，并改变风格强度 α。",
            f"The encoder (VGG19 to relu4_1 with normalised filters) is frozen and the decoder is trained for "
            f"{metrics['iterations']:,} iterations: {pairs} each{partners[1]}, random crops of "
            f"{train['crop']} pixels (shorter side {train['resize']}){late[1]}, Adam. Losses, learning rate and pictures go to "
            "TensorBoard (tensorboard --logdir runs). Then the checkpoints stylise one pair of pictures, two photos are "
            "given one style, and the strength α is varied.",
        ),
        *_held_out(metrics, say),
    ]


def _held_out(metrics: dict[str, Any], say: Say) -> list[str]:
    """Of how many pictures the held-out pairs are made: there are fewer of them than pairs. Older metrics lack it."""
    if not {"pairs", "held_out_photos", "held_out_paintings"} <= set(metrics):
        return []
    pairs, photos, paintings = (metrics[key] for key in ("pairs", "held_out_photos", "held_out_paintings"))
    return [
        say(
            f"留出集的 {pairs} 对图像由 {photos} 张照片和 {paintings} 幅画组成，这些图像不参与训练。",
            f"The {pairs} held-out pairs are made of {photos} photos and {paintings} paintings, none of which is trained on.",
        )
    ]


def _numbered(folder: Path, prefix: str = "") -> dict[float, Path]:
    """The pictures of a folder whose names, less `prefix`, are numbers, by number."""
    found = {}
    for path in folder.glob(f"{prefix}*.png"):
        try:
            found[float(path.stem.removeprefix(prefix))] = path
        except ValueError:
            continue
    if not found:
        raise UserError(f"{folder}: holds no numbered picture; the report is made from them: run `dvc repro`")
    return dict(sorted(found.items()))


def _table(metrics: dict[str, Any], checkpoints: dict[float, Path], say: Say) -> Table:
    content, style = (per_checkpoint(metrics, checkpoints, kind) for kind in ("content", "style"))
    rows = [
        [f"{number:g} %", short(content[number]), short(style[number])] for number in checkpoints if number in content
    ]
    columns = [say("检查点", "checkpoint"), say("内容损失", "content loss"), say("风格损失", "style loss")]
    return Table(
        say("各检查点在留出集上的损失（未加权）", "Held-out losses per checkpoint (unweighted)"), columns, rows
    )


def _charts(context: Context) -> list[Chart]:
    say = context.say
    words = {"content": say("内容损失", "content loss"), "style": say("风格损失", "style loss"),
             "total": say("加权总损失", "weighted total")}  # fmt: skip
    charts = []
    for file, title in (
        ("losses", say("训练损失", "Training losses")),
        ("heldout", say("留出集损失", "Held-out losses")),
    ):
        table = context.inputs.table(f"adain/{file}.csv")
        x, values = column(table, "iteration"), numeric(table).without("iteration")
        values.pop("learning_rate", None)
        values = {next((text for key, text in words.items() if key in name), name): v for name, v in values.items()}
        charts.append(
            Chart(title, say("迭代", "iteration"), say("损失（对数刻度）", "loss (log scale)"), x, values, log=True)
        )
    return charts


def _sliders(results: Path, checkpoints: dict[float, Path], alphas: dict[float, Path], say: Say) -> list[Slider]:
    def beside(folder: Path) -> list[Frame]:
        return [
            Frame(say("内容图", "content"), existing(folder / "content.png")),
            Frame(say("风格图", "style"), existing(folder / "style.png")),
        ]

    return [
        Slider(say("训练进度", "Progress of training"),
               [Frame(say(f"训练 {n:g} %", f"{n:g} % of training"), path) for n, path in checkpoints.items()],
               beside(results / "checkpoints")),
        Slider(say("风格强度 α", "Strength α"), [Frame(f"α = {a:g}", path) for a, path in alphas.items()],
               beside(results / "alpha")),
    ]  # fmt: skip


def _figures(context: Context) -> list[Figure]:
    say, plot = context.say, context.inputs.plot
    return [
        Figure(plot("adain/losses.png"), say("训练与留出集的损失", "Losses in training and on held-out pairs"), web=False),
        Figure(plot("adain/checkpoints.png"), say("同一对图像，由训练途中的各检查点风格化", "One pair stylised by each checkpoint")),
        Figure(plot("adain/photos.png"), say("两张照片，同一种风格", "Two photos in one style")),
        Figure(plot("adain/alpha.png"), say("改变风格强度 α", "The strength α")),
    ]  # fmt: skip
