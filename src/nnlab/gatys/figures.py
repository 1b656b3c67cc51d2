"""Finished jobs -> figures, curves and metrics. No torch."""

import math
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from nnlab.figures import footnote, image_grid, save_figure, style
from nnlab.files import atomic_dir
from nnlab.gatys.finished import Result
from nnlab.params import JobParams
from nnlab.results import write_csv

COLUMNS = 3  # snapshots in a row
SHOWN = 30  # snapshots in the figure, at most: a picture of hundreds is too large for matplotlib, and shows no more
LAYERS = {"content_layers", "style_layers"}  # the choice that layers.png compares


def draw(results: list[Result], out: Path) -> None:
    """Write <job>_losses.csv, <job>_losses.png, <job>_snapshots.png, <job>_result.png per job, and layers.png."""
    with atomic_dir(out) as folder, style():
        for result in results:
            _write_losses(result.losses, folder / f"{result.name}_losses.csv")
            save_figure(_losses(result), folder / f"{result.name}_losses.png")
            save_figure(_snapshots(result), folder / f"{result.name}_snapshots.png")
            save_figure(_result(result), folder / f"{result.name}_result.png")
        save_figure(_layers(results), folder / "layers.png")


def _write_losses(losses: dict[str, list[float]], path: Path) -> None:
    """The job's table with the sums `content` and `style`: their names stay when the layers are others."""
    first = {key: losses[key] for key in ("iteration", "total")}
    sums = {kind: _sum(losses, kind) for kind in ("content", "style")}
    table = {**first, **sums, **{key: values for key, values in losses.items() if key not in first}}
    rows = zip(*(([int(n) for n in values] if key == "iteration" else values) for key, values in table.items()))
    write_csv(path, list(table), list(rows))


def _sum(losses: dict[str, list[float]], kind: str) -> list[float]:
    """The losses of all layers of a kind added up, iteration by iteration; 0 where there is no layer."""
    layers = [values for key, values in losses.items() if key.startswith(f"{kind}.")]
    return [sum(row) for row in zip(*layers)] if layers else [0.0] * len(losses["total"])


def _snapshots(result: Result) -> Any:
    """The snapshots, left to right, top to bottom; of very many, `SHOWN` of them."""
    shown = spread(list(result.snapshots))
    images = [result.snapshots[iteration] for iteration in shown]
    columns = math.ceil(len(images) / math.ceil(len(images) / COLUMNS))  # four: two rows of two
    rows = [images[i : i + columns] for i in range(0, len(images), columns)]
    title = f"{result.name}: every {result.job.snapshot_every} iterations"
    if len(shown) < len(result.snapshots):
        title = f"{result.name}: {len(shown)} of {len(result.snapshots)} snapshots"
    labels = [f"{iteration} iterations" for iteration in shown]
    return image_grid(rows, column_labels=labels, title=title, note=result.note, cell=3.2)


def spread(numbers: list[int], most: int = SHOWN) -> list[int]:
    """At most `most` of the numbers, evenly spaced, always with the first and the last."""
    if len(numbers) <= most:
        return numbers
    return [numbers[round(i * (len(numbers) - 1) / (most - 1))] for i in range(most)]


def _result(result: Result) -> Any:
    """Content, style, result, all of one height."""
    labels = ["content", "style", f"result, {result.job.iterations} iterations"]
    images = [[result.content, _framed(result.style, result.content), result.result]]
    return image_grid(images, column_labels=labels, title=result.name, note=result.note, cell=3.2)


def _layers(results: list[Result]) -> Any:
    """The results of all jobs with their layers; jobs with other pictures get a row of their own."""
    rows: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        rows.setdefault((result.job.content, result.job.style), []).append(result)
    images = [
        [group[0].content, _framed(group[0].style, group[0].content), *(result.result for result in group)]
        for group in rows.values()
    ]
    labels = [
        label
        for group in rows.values()
        for label in ("content", "style", *(f"{result.name}\n{_choice(result.job, group)}" for result in group))
    ]
    notes = {result.note for result in results if result.note}
    also = sorted({key for group in rows.values() for key in differing(group)})
    title = "The choice of layers" + (f" (the jobs also differ in {', '.join(also)})" if also else "")
    return image_grid(images, column_labels=labels, title=title, note="\n".join(sorted(notes)) or None, cell=3.2)


def _framed(picture: Image.Image, like: Image.Image) -> Image.Image:
    """`picture` as large as fits, in the middle of a white picture of the size of `like`."""
    return ImageOps.pad(picture, like.size, Image.Resampling.LANCZOS, color="white")


def differing(group: list[Result]) -> list[str]:
    """The keys, other than the layers, in which the jobs of a group differ: they, too, make their results differ."""
    jobs = [result.job.model_dump() for result in group]
    return [key for key in jobs[0] if key not in LAYERS and any(job[key] != jobs[0][key] for job in jobs)]


def _choice(job: JobParams, group: list[Result]) -> str:
    """What is the job's own in its group: the layers, and a line for each other key that differs."""
    others = [f"{key}: {str(getattr(job, key))[:40]}" for key in differing(group)]
    return "\n".join([_names(job), *others])


def _names(job: JobParams) -> str:
    """The layers in short, three in a line: content conv5_2, style conv1_1 conv2_1."""
    lines = []
    for kind, layers in (("content", job.content_layers), ("style", job.style_layers)):
        short = [f"conv{layer[5]}_{layer[-1]}" for layer in layers] or ["none"]
        lines += [f"{kind}: {' '.join(short[:3])}", *(" ".join(short[i : i + 3]) for i in range(3, len(short), 3))]
    return "\n".join(lines)


def _losses(result: Result) -> Any:
    """Weighted loss per layer and in all, against iterations, on a log scale."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(8.5, 4.5))
    iterations = result.losses["iteration"]
    for name, values in result.losses.items():
        if name == "iteration":
            continue
        kind, _, layer = name.partition(".")
        look = {"total": ("black", "-", 2.2), "content": (None, "--", 1.8)}.get(kind, (None, "-", 1.5))
        axis.plot(iterations, values, color=look[0], linestyle=look[1], linewidth=look[2], label=f"{kind} {layer}")
    axis.set(yscale="log", xlabel="iteration", ylabel="weighted loss (log scale)", title=f"{result.name}: losses")
    if lowest := lowest_loss(result.losses):
        axis.set_ylim(bottom=lowest / 3)  # the content loss is 0 where the start is the content
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    if result.note:
        footnote(figure, result.note)
    return figure


def lowest_loss(losses: dict[str, list[float]]) -> float | None:
    """The lowest loss above 0 of the second half of the run; None if all are 0."""
    late = [values[len(values) // 2 :] for name, values in losses.items() if name != "iteration"]
    return min((value for values in late for value in values if value > 0), default=None)
