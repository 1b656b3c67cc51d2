"""Judge the autoencoder; draw its curves, reconstructions and latent plane."""

from pathlib import Path

from nnlab.autoencoder.evaluate import judge_autoencoder
from nnlab.autoencoder.figures import draw_autoencoder
from nnlab.results import write_metrics
from nnlab.stage import run


def main(data: Path, model: Path, metrics: Path, summary: Path, plots: Path, results: Path) -> None:
    """Read the data set and the model; write the metrics, the folder `plots`, and codes and grid into `results`."""
    judged, plane = judge_autoencoder(data, model)
    write_metrics(metrics, judged.metrics)
    headline = {"autoencoder_bce": "test_bce", "autoencoder_knn_accuracy": "knn_accuracy"}
    write_metrics(summary, {name: judged.metrics[key] for name, key in headline.items()})
    draw_autoencoder(judged, plane, plots, results)


if __name__ == "__main__":
    run(main)
