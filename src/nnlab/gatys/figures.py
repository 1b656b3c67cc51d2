"""Painted jobs, read back from their folders -> figures, curves and metrics. No torch."""

import json
import shutil
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image, ImageOps

from nnlab.data.images import read_image
from nnlab.data.pair import stand_ins
from nnlab.figures import footnote, image_grid, in_rows, save_figure, style, thinned
from nnlab.files import atomic_dir
from nnlab.gatys.levels import plan
from nnlab.params import JobParams

COLUMNS = 3  # snapshots in a row
SHOWN = 30  # snapshots in the figure, at most: hundreds are too large for matplotlib, and show no more
ABREAST = 2  # pictures in a row of layers.png
CELL = 4.7  # inches: what 512 pixels take
COMPARED = {"content", "style", "content_layers", "style_layers"}  # what layers.png tells apart by itself


@dataclass(frozen=True)
class Result:
    """What the stage gatys_stylize left of a job; `note` names stand-ins, "" where the pictures are those asked for."""

    name: str
    job: JobParams
    folder: Path
    note: str

    def picture(self, name: str) -> Image.Image:
        """content, style, result or a snapshot; style is as large as fits on white of the content's size."""
        image = read_image(self.folder / f"{name}.png")
        if name == "style":
            return ImageOps.pad(image, self.picture("content").size, Image.Resampling.LANCZOS, color="white")
        return image

    def metrics(self) -> dict[str, Any]:
        """Its losses and settings; `stand_in` is the note about replaced pictures, empty where there are none."""
        return json.loads((self.folder / "info.json").read_text(encoding="utf-8")) | {"stand_in": self.note}


def read_result(name: str, job: JobParams, folder: Path, provenance: Path) -> Result:
    """A job's folder; `provenance` is that of the pair, of which the job may use both pictures, one or none."""
    used = [Path(path).name for path in (job.content, job.style) if Path(path).parent == provenance.parent]
    return Result(name, job, folder, stand_ins(provenance.parent, used))


def draw(results: list[Result], out: Path) -> None:
    """Write <job>_losses.csv, <job>_losses.png, <job>_snapshots.png, <job>_result.png per job, and layers.png."""
    with atomic_dir(out) as folder, style():
        for result in results:
            shutil.copyfile(result.folder / "losses.csv", folder / f"{result.name}_losses.csv")
            for part, make in (("losses", _losses), ("snapshots", _snapshots), ("result", _result)):
                save_figure(make(result), folder / f"{result.name}_{part}.png")
        save_figure(_layers(results), folder / "layers.png")


def _title(result: Result) -> str:
    return f"Gatys, job {result.name}"


def _snapshots(result: Result) -> Figure:
    """The snapshots, left to right, top to bottom; of very many, `SHOWN` from the first to the last, fewer if tall."""
    found = sorted(int(path.stem.split("_")[1]) for path in result.folder.glob("snapshot_*.png"))
    width, height = result.picture("result").size
    shown = thinned(found, max(COLUMNS, SHOWN * width // max(width, height)))
    pictures, levels = [result.picture(f"snapshot_{done:04d}") for done in shown], plan(result.job)
    labels = [f"{done} iterations, {next(x for x, end in levels if done <= end)} pixels" for done in shown]
    rows = in_rows(pictures, COLUMNS)
    return image_grid(rows, column_labels=labels, title=_title(result), note=result.note, cell=CELL)


def _result(result: Result) -> Figure:
    """Content, style, result, all of one height."""
    parts = ["content", "style", "result"]
    row = [result.picture(part) for part in parts]
    return image_grid([row], column_labels=parts, title=_title(result), note=result.note, cell=CELL)


def _layers(results: list[Result]) -> Figure:
    """The results of all jobs with their layers; jobs with other pictures get a row of their own."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result.job.content, result.job.style), []).append(result)
    others = differing([result.job for result in results])
    rows, labels = [], []
    for group in groups.values():
        found = [group[0].picture("content"), group[0].picture("style"), *(x.picture("result") for x in group)]
        rows += [found[i : i + ABREAST] for i in range(0, len(found), ABREAST)]
        labels += ["content", "style", *(f"{result.name}\n{_choice(result.job, others)}" for result in group)]
    note = "\n".join(sorted({result.note for result in results if result.note}))
    return image_grid(rows, column_labels=labels, title="The choice of layers", note=note, cell=CELL)


def differing(jobs: list[JobParams]) -> list[str]:
    """The keys, other than layers and pictures, in which jobs differ: they, too, make their results differ."""
    values = [job.model_dump(exclude=COMPARED) for job in jobs]
    return [key for key in values[0] if any(job[key] != values[0][key] for job in values)]


def _choice(job: JobParams, others: list[str]) -> str:
    """The layers in short (content: conv5_2), and a line for each of the keys `others`."""
    kinds = {"content": job.content_layers, "style": job.style_layers}
    lines = [f"{kind}: {' '.join(f'conv{x[5]}_{x[-1]}' for x in layers) or 'none'}" for kind, layers in kinds.items()]
    lines += [f"{key}: {getattr(job, key)}" for key in others]
    return "\n".join(textwrap.fill(line, 32) for line in lines)


def _losses(result: Result) -> Figure:
    """Weighted loss per layer and in all, against iterations, on a log scale."""
    figure, axis = plt.subplots(figsize=(8.5, 4.5))
    table = pd.read_csv(result.folder / "losses.csv", index_col="iteration")
    del table["content"], table["style"]  # the sums over the layers
    looks = {name: "--" if name.startswith("content") else "-" for name in table}
    looks |= dict.fromkeys(table.columns[9:], "-.") | {"total": "k:"}  # the ninth beside it has the first one's colour
    table.plot(ax=axis, style=looks, logy=True, ylabel="weighted loss (log scale)", title=_title(result))
    for _, end in plan(result.job)[:-1]:
        axis.axvline(end, color="0.6", linestyle=":", linewidth=1)  # the next size begins
    late = table[len(table) // 2 :]
    if (least := late[late > 0].min().min()) > 0:  # content loss is about 0 where the start is the content
        axis.set_ylim(bottom=least / 3)
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    if result.note:
        footnote(figure, result.note)
    return figure
