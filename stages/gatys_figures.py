"""Draw the figures of every job, and collect the metrics."""

from pathlib import Path

from nnlab.gatys.figures import draw, read_result
from nnlab.params import load_params
from nnlab.results import write_metrics
from nnlab.stage import run


def main(
    folder: Path, provenance: Path, numbers: Path, summary: Path, plots: Path, params: Path = Path("params.yaml")
) -> None:
    """Write the metrics of every job, their headline numbers, and the figures in `plots`."""
    jobs = load_params(params).gatys.jobs
    results = [read_result(name, job, folder / name, provenance) for name, job in jobs.items()]
    draw(results, plots)
    metrics = {result.name: result.metrics() for result in results}
    write_metrics(numbers, metrics)
    write_metrics(summary, {f"gatys_{name}_loss": found["total_loss"] for name, found in metrics.items()})


if __name__ == "__main__":
    run(main)
