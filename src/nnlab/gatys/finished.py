"""What a finished job left in its folder, read back for figures and metrics. No torch."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from nnlab.data.catalog import read_provenance
from nnlab.data.images import read_image
from nnlab.errors import UserError
from nnlab.params import JobParams


@dataclass(frozen=True)
class Result:
    """One job's pictures and numbers; `note` names stand-ins, None where the pictures are those asked for."""

    name: str
    job: JobParams
    content: Image.Image
    style: Image.Image
    result: Image.Image
    snapshots: dict[int, Image.Image]
    losses: dict[str, list[float]]
    info: dict[str, Any]
    note: str | None


def read_result(name: str, job: JobParams, folder: Path, provenance: Path) -> Result:
    """Read what the stage gatys_stylize wrote; `provenance` is that of the pair, which the job may or may not use."""
    found = {int(path.stem.split("_")[1]): path for path in folder.glob("snapshot_*.png")}
    pictures = {part: read_image(folder / f"{part}.png") for part in ("content", "style", "result")}
    return Result(
        name=name,
        job=job,
        **pictures,
        snapshots={iteration: read_image(found[iteration]) for iteration in sorted(found)},
        losses=_read_losses(folder / "losses.csv"),
        info=_read_json(folder / "info.json"),
        note=_stand_in(job, provenance),
    )


def metrics(results: list[Result]) -> dict[str, dict[str, Any]]:
    """Numbers per job; `stand_in` is the note about replaced pictures, empty where there are none."""
    return {result.name: {**result.info, "stand_in": result.note or ""} for result in results}


def _stand_in(job: JobParams, provenance: Path) -> str | None:
    """The pair's note if one of the job's pictures is of the pair and the pair holds a stand-in."""
    record = read_provenance(provenance)
    used = any(Path(path).parent == provenance.parent for path in (job.content, job.style))
    return str(record["note"]) if used and record["stand_in"] else None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        raise UserError(f"{path}: missing or damaged; delete it and run `dvc repro`") from None


def _read_losses(path: Path) -> dict[str, list[float]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return {name: [float(row[name]) for row in rows] for name in rows[0]}
    except (FileNotFoundError, ValueError, IndexError, TypeError):
        raise UserError(f"{path}: missing or damaged; run `dvc repro -f -s gatys_stylize`") from None
