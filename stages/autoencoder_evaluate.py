"""Judge the autoencoder; draw its curves, reconstructions and latent plane."""

from pathlib import Path

from nnlab.autoencoder.evaluate import decode_plane, judge, knn_accuracy
from nnlab.autoencoder.figures import draw_autoencoder
from nnlab.params import AutoencoderParams
from nnlab.results import write_metrics
from nnlab.stage import script


@script
def main(data: Path, model: Path, metrics: Path, summary: Path, plots: Path, results: Path) -> None:
    """Read the data set and the model; write the metrics, the folder `plots`, and codes and grid into `results`."""
    judged = judge(data, model, AutoencoderParams)
    knn = knn_accuracy(judged, data)
    write_metrics(metrics, {**judged.metrics, "knn_accuracy": knn})
    write_metrics(summary, {"autoencoder_bce": judged.metrics["test_bce"], "autoencoder_knn_accuracy": knn})
    draw_autoencoder(judged, decode_plane(judged), plots, results)
