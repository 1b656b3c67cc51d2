"""Draw the figures of every job, and collect the metrics."""

import shutil
import sys
import time
from pathlib import Path

from nnlab.gatys.figures import draw, read_result
from nnlab.params import Params
from nnlab.results import write_metrics
from nnlab.stage import script


@script
def main(folder: Path, provenance: Path, numbers: Path, summary: Path, plots: Path, params: Params) -> None:
    """Write the metrics of every job, their headline numbers, and the figures in `plots`."""
    jobs = params.gatys.jobs
    for old in [path for path in folder.iterdir() if path.is_dir() and path.name not in jobs]:
        # A clone has none, and would run this stage again.
        aside = folder.with_name("gatys_removed") / f"{old.name}-{time.strftime('%Y%m%d-%H%M%S')}"
        shutil.move(old, aside)
        print(f"{old}: of no job in gatys.jobs; moved to {aside}", file=sys.stderr)
    results = [read_result(name, job, folder / name, provenance) for name, job in jobs.items()]
    draw(results, plots)
    metrics = {result.name: result.metrics() for result in results}
    write_metrics(numbers, metrics)
    write_metrics(summary, {f"gatys_{name}_loss": found["total_loss"] for name, found in metrics.items()})
