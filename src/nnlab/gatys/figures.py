"""Painted jobs, read back from their folders -> figures, curves and metrics. No torch."""

import json
import math
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image, ImageOps

from nnlab.data.catalog import read_provenance
from nnlab.data.images import read_image
from nnlab.errors import UserError
from nnlab.figures import footnote, image_grid, save_figure, style
from nnlab.files import atomic_dir
from nnlab.params import JobParams

COLUMNS = 3  # snapshots in a row
SHOWN = 30  # snapshots in the figure, at most: a picture of hundreds is too large for matplotlib, and shows no more
LAYERS = {"content_layers", "style_layers"}  # the choice that layers.png compares


@dataclass(frozen=True)
class Result:
    """What the stage gatys_stylize left of a job; `note` names stand-ins, "" where the pictures are those asked for."""

    name: str
    job: JobParams
    folder: Path
    losses: pd.DataFrame  # by iteration: total, content, style, then a column per term
    info: dict[str, Any]
    note: str

    def picture(self, name: str) -> Image.Image:
        """content, style, result or a snapshot; style is as large as fits on white of the content's size."""
        image = read_image(self.folder / f"{name}.png")
        if name == "style":
            return ImageOps.pad(image, self.picture("content").size, Image.Resampling.LANCZOS, color="white")
        return image


def read_result(name: str, job: JobParams, folder: Path, provenance: Path) -> Result:
    """Read a job's folder; `provenance` is that of the pair, which the job may or may not use."""
    pair = read_provenance(provenance)
    used = any(Path(path).parent == provenance.parent for path in (job.content, job.style))
    note = str(pair["note"]) if used and pair["stand_in"] else ""
    try:
        losses = pd.read_csv(folder / "losses.csv", index_col="iteration", dtype="float64")
        info = dict(json.loads((folder / "info.json").read_text(encoding="utf-8")))
        if losses.isna().any(axis=None):
            raise ValueError("a cell is empty")
    except (OSError, ValueError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{folder}: losses.csv or info.json is missing or damaged ({reason}); "
                        f"run `dvc repro -f -s gatys_stylize@{name}`") from None  # fmt: skip
    return Result(name, job, folder, losses, info, note)


def metrics(results: list[Result]) -> dict[str, dict[str, Any]]:
    """Numbers per job; `stand_in` is the note about replaced pictures, empty where there are none."""
    return {result.name: {**result.info, "stand_in": result.note} for result in results}


def draw(results: list[Result], out: Path) -> None:
    """Write <job>_losses.csv, <job>_losses.png, <job>_snapshots.png, <job>_result.png per job, and layers.png."""
    with atomic_dir(out) as folder, style():
        for result in results:
            shutil.copyfile(result.folder / "losses.csv", folder / f"{result.name}_losses.csv")
            for part, make in (("losses", _losses), ("snapshots", _snapshots), ("result", _result)):
                save_figure(make(result), folder / f"{result.name}_{part}.png")
        save_figure(_layers(results), folder / "layers.png")


def _snapshots(result: Result) -> Figure:
    """The snapshots, left to right, top to bottom; of very many, `SHOWN` of them, the first and the last included."""
    found = sorted(int(path.stem.split("_")[1]) for path in result.folder.glob("snapshot_*.png"))
    shown = [found[round(i)] for i in np.linspace(0, len(found) - 1, min(len(found), SHOWN))]
    images = [result.picture(f"snapshot_{iteration:04d}") for iteration in shown]
    columns = math.ceil(len(images) / math.ceil(len(images) / COLUMNS))  # four: two rows of two
    rows = [images[i : i + columns] for i in range(0, len(images), columns)]
    what = f"every {result.job.snapshot_every} iterations"
    if len(shown) < len(found):
        what = f"{len(shown)} of {len(found)} snapshots"
    labels = [f"{iteration} iterations" for iteration in shown]
    return image_grid(rows, column_labels=labels, title=f"{result.name}: {what}", note=result.note, cell=3.2)


def _result(result: Result) -> Figure:
    """Content, style, result, all of one height."""
    labels = ["content", "style", f"result, {result.job.iterations} iterations"]
    images = [[result.picture(part) for part in ("content", "style", "result")]]
    return image_grid(images, column_labels=labels, title=result.name, note=result.note, cell=3.2)


def _layers(results: list[Result]) -> Figure:
    """The results of all jobs with their layers; jobs with other pictures get a row of their own."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result.job.content, result.job.style), []).append(result)
    rows, labels, also = [], [], set()
    for group in groups.values():
        others = differing([result.job for result in group])
        also.update(others)
        rows.append([group[0].picture("content"), group[0].picture("style"), *(x.picture("result") for x in group)])
        labels += ["content", "style", *(f"{result.name}\n{_choice(result.job, others)}" for result in group)]
    title = "The choice of layers" + (f" (the jobs also differ in {', '.join(sorted(also))})" if also else "")
    note = "\n".join(sorted({result.note for result in results if result.note}))
    return image_grid(rows, column_labels=labels, title=title, note=note, cell=3.2)


def differing(jobs: list[JobParams]) -> list[str]:
    """The keys, other than the layers, in which jobs differ: they, too, make their results differ."""
    values = [job.model_dump() for job in jobs]
    return [key for key in values[0] if key not in LAYERS and any(job[key] != values[0][key] for job in values)]


def _choice(job: JobParams, others: list[str]) -> str:
    """The layers in short, three in a line (content: conv5_2), and a line for each of the keys `others`."""
    lines = []
    for kind, layers in (("content", job.content_layers), ("style", job.style_layers)):
        short = [f"conv{layer[5]}_{layer[-1]}" for layer in layers] or ["none"]
        lines += [f"{kind}: {' '.join(short[:3])}", *(" ".join(short[i : i + 3]) for i in range(3, len(short), 3))]
    return "\n".join([*lines, *(f"{key}: {str(getattr(job, key))[:40]}" for key in others)])


def _losses(result: Result) -> Figure:
    """Weighted loss per layer and in all, against iterations, on a log scale."""
    figure, axis = plt.subplots(figsize=(8.5, 4.5))
    table = result.losses.drop(columns=["content", "style"])  # the sums over the layers
    for name, values in table.items():
        kind, _, layer = str(name).partition(".")
        look = {"total": ("black", "-", 2.2), "content": (None, "--", 1.8)}.get(kind, (None, "-", 1.5))
        axis.plot(values, color=look[0], linestyle=look[1], linewidth=look[2], label=f"{kind} {layer}")
    axis.set(yscale="log", xlabel="iteration", ylabel="weighted loss (log scale)", title=f"{result.name}: losses")
    late = table[len(table) // 2 :].to_numpy()
    if (late > 0).any():
        axis.set_ylim(bottom=late[late > 0].min() / 3)  # the content loss is about 0 where the start is the content
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    if result.note:
        footnote(figure, result.note)
    return figure
