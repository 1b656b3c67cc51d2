"""What AdaIN's checkpoints and strengths show, in words."""

from pathlib import Path
from typing import Any

from nnlab.report.document import Say
from nnlab.report.inputs import existing
from nnlab.report.measures import color_distance, same_shapes
from nnlab.report.tasks.words import change, course_of, short


def training(metrics: dict[str, Any], checkpoints: dict[float, Path], say: Say) -> list[str]:
    """How the held-out losses run over the checkpoints."""
    said = []
    for kind, word in (("content", say("内容", "content")), ("style", say("风格", "style"))):
        values = per_checkpoint(metrics, checkpoints, kind)
        if len(values) < 2:
            continue
        (first, a), (last, b) = next(iter(values.items())), list(values.items())[-1]
        said.append(say(
            f"从 {first:g} % 到 {last:g} % 的训练，留出集上的{word}损失由 {short(a)} 变为 {short(b)}"
            f"（{change(a, b, say)}），{course_of(list(values.values()), say)}。",
            f"From {first:g} % to {last:g} % of training the held-out {word} loss goes from {short(a)} to {short(b)} "
            f"({change(a, b, say)}); it {course_of(list(values.values()), say)}.",
        ))  # fmt: skip
    return said


def strength(folder: Path, alphas: dict[float, Path], chosen: list[float], say: Say) -> list[str]:
    """What α changes, measured on the pictures."""
    content, style = existing(folder / "content.png"), existing(folder / "style.png")
    shapes = {alpha: same_shapes(content, path) for alpha, path in alphas.items()}
    colors = {alpha: color_distance(style, path) for alpha, path in alphas.items()}
    wanted = [alpha for alpha in alphas if any(abs(alpha - other) < 1e-9 for other in chosen)] or list(alphas)
    values = say("、", ", ").join
    return [
        say(
            f"α = {values(f'{a:g}' for a in wanted)} 时，结果与内容图的亮度相关系数为 "
            f"{values(f'{shapes[a]:.3f}' for a in wanted)}；与风格图的颜色距离为 "
            f"{values(f'{colors[a]:.3f}' for a in wanted)}。",
            f"For α = {values(f'{a:g}' for a in wanted)} the result's brightness correlates with the content picture by "
            f"{values(f'{shapes[a]:.3f}' for a in wanted)}; its colours are {values(f'{colors[a]:.3f}' for a in wanted)} "
            "from the style picture's.",
        ),
        say(
            f"α 由 {min(alphas):g} 增大到 {max(alphas):g} 时，前者{course_of(list(shapes.values()), say)}，"
            f"后者{course_of(list(colors.values()), say)}。",
            f"As α grows from {min(alphas):g} to {max(alphas):g}, the former {course_of(list(shapes.values()), say)} and "
            f"the latter {course_of(list(colors.values()), say)}.",
        ),
    ]


def per_checkpoint(metrics: dict[str, Any], checkpoints: dict[float, Path], kind: str) -> dict[float, float]:
    """heldout_<kind>_loss per checkpoint, for those that metrics/adain.json has."""
    keys = {number: f"heldout_{kind}_loss_{number:g}" for number in checkpoints}
    return {number: metrics[key] for number, key in keys.items() if key in metrics}
