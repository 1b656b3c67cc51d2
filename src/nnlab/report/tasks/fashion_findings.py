"""What the training on Fashion-MNIST shows, in words."""

from typing import Any

from nnlab.report.document import Say
from nnlab.report.inputs import Columns, column
from nnlab.report.tasks.words import course_of, percent, points


def findings(
    metrics: dict[str, Any],
    curves: Columns,
    accuracy: dict[str, float],
    pairs: Columns,
    variants: dict[str, Any],
    say: Say,
) -> list[str]:
    """Sentences on the course of the training, the classes (`accuracy` by name, `pairs` by image) and the variants."""
    test = column(curves, "test_accuracy")
    seen = f"{int(metrics['test_images']):,}"
    gap = 100 * (metrics["train_accuracy"] - metrics["test_accuracy"])
    best, worst = max(accuracy, key=accuracy.__getitem__), min(accuracy, key=accuracy.__getitem__)
    actual, predicted, count = _most_confused(pairs)
    top = max(names(variants), key=lambda name: variants[f"{name}.test_accuracy"])
    said = [
        _course(test, say),
        say(
            f"前 {seen} 张训练图像上的准确率比测试图像{_more(gap, say)} {abs(gap):.2f} 个百分点。",
            f"Accuracy on the first {seen} training images is {abs(gap):.2f} percentage points {_more(gap, say)} than on "
            "the test images.",
        ),
        say(
            f"最容易的类别是 {best}（{percent(accuracy[best])} %），最难的是 {worst}（{percent(accuracy[worst])} %）。",
            f"The easiest class is {best} ({percent(accuracy[best])} %), the hardest {worst} "
            f"({percent(accuracy[worst])} %).",
        ),
        say(
            f"几种结构中测试准确率最高的是 {top}：{percent(variants[f'{top}.test_accuracy'])} %。",
            f"Of the compared networks, {top} has the highest test accuracy: "
            f"{percent(variants[f'{top}.test_accuracy'])} %.",
        ),
    ]
    if count:
        said.insert(3, say(
            f"最常见的混淆：{count} 张 {actual} 被判为 {predicted}。",
            f"The most frequent confusion: {count} images of {actual} are taken for {predicted}.",
        ))  # fmt: skip
    return said


def _course(test: list[float], say: Say) -> str:
    """How the accuracy on the test images runs over the epochs."""
    if len(test) == 1:
        return say(
            f"训练 1 轮后的测试准确率为 {percent(test[0])} %。",
            f"Test accuracy after one epoch is {percent(test[0])} %.",
        )
    return say(
        f"测试准确率由第 1 轮的 {percent(test[0])} % 变为第 {len(test)} 轮的 {percent(test[-1])} %"
        f"（{points(test[0], test[-1], say)}），{course_of(test, say)}。",
        f"Test accuracy goes from {percent(test[0])} % after epoch 1 to {percent(test[-1])} % after epoch {len(test)} "
        f"({points(test[0], test[-1], say)}); it {course_of(test, say)}.",
    )


def _more(gap: float, say: Say) -> str:
    return say("高", "higher") if gap > 0 else say("低", "lower")


def _most_confused(pairs: Columns) -> tuple[str, str, int]:
    """The wrong pair (actual, predicted) with the most images; ("", "", 0) if none is wrong."""
    counts: dict[tuple[str, str], int] = {}
    for pair in zip(pairs["actual"], pairs["predicted"]):
        if pair[0] != pair[1]:
            counts[pair] = counts.get(pair, 0) + 1
    if not counts:
        return "", "", 0
    pair = max(counts, key=lambda key: (counts[key], key))
    return *pair, counts[pair]


def names(variants: dict[str, Any]) -> list[str]:
    """The variants that metrics/fashion_variants.json holds."""
    return [key.removesuffix(".test_accuracy") for key in variants if key.endswith(".test_accuracy")]
