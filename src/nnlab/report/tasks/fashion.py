"""The report's part on Fashion-MNIST."""

from typing import Any

from nnlab.errors import UserError
from nnlab.report.document import (
    Chart,
    Context,
    Figure,
    Number,
    Quote,
    Say,
    Table,
    Task,
    differing,
    parameters,
    shown,
)
from nnlab.report.inputs import AGAIN, Columns, column
from nnlab.report.tasks import formulas, reduced
from nnlab.report.tasks.fashion_findings import findings, names
from nnlab.report.tasks.words import epochs, percent


def build(context: Context) -> Task:
    """Fashion-MNIST from metrics/fashion*.json and plots/fashion."""
    say, inputs = context.say, context.inputs
    metrics, variants = inputs.metric("fashion"), inputs.metric("fashion_variants")
    curves = inputs.table("fashion/accuracy.csv")
    pairs = inputs.table("fashion/confusion.csv")
    section = context.params["fashion"]
    per_class = inputs.table("fashion/per_class.csv")
    accuracy = dict(zip(per_class["class"], column(per_class, "accuracy")))
    return Task(
        key="fashion",
        title=say("Fashion-MNIST 图像分类", "Classifying Fashion-MNIST"),
        done=_done(section, metrics, say),
        parameters=_parameters(section),
        numbers=[
            Number(say("测试准确率", "test accuracy"), percent(metrics["test_accuracy"]), "%"),
            Number(_on_training(metrics, say), percent(metrics["train_accuracy"]), "%"),
            Number(say("训练轮数", "epochs"), str(metrics["epochs"])),
            Number(say("测试图像", "test images"), f"{int(metrics['test_images']):,}"),
        ],
        findings=findings(metrics, curves, accuracy, pairs, variants, say),
        figures=_figures(context),
        formulas=[formulas.cross_entropy(say)],
        tables=[_table(variants, section.get("variants", {}), metrics, say)],
        charts=_charts(curves, metrics, say),
        quotes=_quotes(say),
        warnings=_warnings(metrics, say),
        extras={"confusion": confusion(pairs, list(accuracy)), "per_class": accuracy},
    )


def _quotes(say: Say) -> list[Quote]:
    return [
        Quote("fashion/model.py", "build", say("网络", "The network")),
        Quote("fashion/train.py", "train", say("训练", "Training")),
    ]


def _on_training(metrics: dict[str, Any], say: Say) -> str:
    """Training accuracy with the images that it is of: as many as there are test images."""
    count = f"{int(metrics['test_images']):,}"
    return say(f"训练准确率（前 {count} 张训练图像）", f"training accuracy (first {count} training images)")


def _warnings(metrics: dict[str, Any], say: Say) -> list[str]:
    if metrics["epochs"] >= reduced.FASHION_EPOCHS:
        return []
    return [
        say(
            f"Fashion-MNIST 只训练了 {metrics['epochs']} 轮，作业要求 {reduced.FASHION_EPOCHS} 轮（params.yaml 中的 fashion.epochs）。",
            f"Fashion-MNIST was trained for {epochs(metrics['epochs'], say)} only; the assignment asks for "
            f"{reduced.FASHION_EPOCHS} (fashion.epochs in params.yaml).",
        )
    ]


def _done(section: dict[str, Any], metrics: dict[str, Any], say: Say) -> list[str]:
    network, images = _network(section, say), f"{int(metrics['test_images']):,}"
    return [
        say(
            f"用 Fashion-MNIST 的 60,000 张训练图像训练{network}（ReLU 激活，交叉熵损失，AdamW）{metrics['epochs']} 轮，"
            f"在 {images} 张测试图像上计算总准确率、各类准确率与混淆矩阵；随后用同样的数据训练几种不同结构的网络并排比较。",
            f"{network[:1].upper()}{network[1:]} (ReLU, cross-entropy, AdamW) is trained on the 60,000 training images of "
            f"Fashion-MNIST for {epochs(metrics['epochs'], say)}. Accuracy, accuracy per class and the confusion matrix are "
            f"computed on the {images} test images; then networks of other shapes are trained on the same data.",
        )
    ]


def _network(section: dict[str, Any], say: Say) -> str:
    """The layers in words."""
    if section.get("convolutions"):
        groups, hidden = shown(section["convolutions"]), shown([*section["hidden"], 10])
        return say(f"卷积网络（卷积通道 {groups}，全连接层 {hidden}）",
                   f"a convolutional network (channels {groups}, fully connected layers {hidden})")  # fmt: skip
    layers = "-".join(str(n) for n in [784, *section["hidden"], 10])
    return say(f"全连接网络 {layers}", f"a fully connected network {layers}")


def _parameters(section: dict[str, Any]) -> dict[str, str]:
    """The section, and of each variant what is its own."""
    own = {name: differing(values, section) for name, values in section.get("variants", {}).items()}
    return parameters({**section, "variants": own}, "fashion")


def confusion(pairs: Columns, classes: list[str]) -> dict[str, Any]:
    """Counts [actual][predicted] in the order of `classes`."""
    index = {name: i for i, name in enumerate(classes)}
    counts = [[0] * len(classes) for _ in classes]
    for name in ("actual", "predicted"):
        if unknown := set(pairs[name]) - set(index):
            raise UserError(f"{pairs.path}: unknown class {min(unknown)[:40]!r}; {AGAIN}")
    for actual, predicted in zip(pairs["actual"], pairs["predicted"]):
        counts[index[actual]][index[predicted]] += 1
    return {"classes": classes, "counts": counts}


def _table(results: dict[str, Any], variants: dict[str, Any], metrics: dict[str, Any], say: Say) -> Table:
    rows = [
        [name, _network({"hidden": [], **variants.get(name, {})}, say), percent(results[f"{name}.train_accuracy"]),
         percent(results[f"{name}.test_accuracy"])]
        for name in sorted(names(results), key=lambda name: results[f"{name}.test_accuracy"])
    ]  # fmt: skip
    columns = [say("名称", "name"), say("网络", "network"), f"{_on_training(metrics, say)} (%)",
               say("测试准确率 (%)", "test accuracy (%)")]  # fmt: skip
    return Table(say("不同结构的比较", "Networks compared"), columns, rows)


def _charts(curves: Columns, metrics: dict[str, Any], say: Say) -> list[Chart]:
    x, count = column(curves, "epoch"), f"{int(metrics['test_images']):,}"
    names = {
        "train": say(f"训练（前 {count} 张训练图像）", f"training (first {count} training images)"),
        "test": say("测试", "test"),
    }
    epoch = say("轮", "epoch")
    return [
        Chart(say("准确率", "Accuracy"), epoch, say("准确率 (%)", "accuracy (%)"), x,
              {names[k]: [100 * v for v in column(curves, f"{k}_accuracy")] for k in names}),
        Chart(say("交叉熵损失", "Cross-entropy"), epoch, say("损失（奈特）", "loss (nats)"), x,
              {names[k]: [*column(curves, f"{k}_loss")] for k in names}),
    ]  # fmt: skip


def _figures(context: Context) -> list[Figure]:
    say, plot = context.say, context.inputs.plot
    return [
        Figure(plot("fashion/samples.png"), say("数据集中的图像及其类别", "Images of the data set with their classes")),
        Figure(plot("fashion/accuracy.png"), say("每轮的准确率", "Accuracy per epoch"), web=False),
        Figure(plot("fashion/per_class.png"), say("各类别的准确率", "Accuracy per class"), web=False),
        Figure(plot("fashion/confusion.png"), say("混淆矩阵", "Confusion matrix"), web=False),
        Figure(plot("fashion/prediction_right.png"), say("一次正确的预测：十个类别的置信度（蓝：真实类别）",
               "A right prediction: confidence in the ten classes (blue: the true one)")),
        Figure(plot("fashion/prediction_wrong.png"), say("一次错误的预测（蓝：真实类别，红：错误的预测）",
               "A wrong prediction (blue: the true class, red: the wrong prediction)")),
        Figure(plot("fashion/predictions.png"), say("更多预测", "More predictions")),
        Figure(plot("fashion/variants.png"), say("不同结构的比较", "Networks compared")),
    ]  # fmt: skip
