"""Draw the figures of every job, and collect the metrics."""

from pathlib import Path

from nnlab.stage import run


def main(
    results: Path, provenance: Path, metrics: Path, summary: Path, plots: Path, params: Path = Path("params.yaml")
) -> None:
    """Write the metrics of every job, their headline numbers, and the figures in `plots`."""
    from nnlab.gatys import figures, finished
    from nnlab.params import load_params
    from nnlab.results import write_metrics

    jobs = load_params(params).gatys.jobs
    read = [finished.read_result(name, job, results / name, provenance) for name, job in jobs.items()]
    figures.draw(read, plots)
    write_metrics(metrics, finished.metrics(read))
    write_metrics(summary, {f"gatys_{result.name}_loss": result.info["total_loss"] for result in read})


if __name__ == "__main__":
    run(main)
