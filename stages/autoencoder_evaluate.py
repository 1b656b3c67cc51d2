"""Judge the autoencoder; draw its curves, reconstructions and latent plane."""

from pathlib import Path

from nnlab.stage import run


def main(
    data: Path,
    model: Path,
    metrics: Path,
    summary: Path,
    plots: Path,
    results: Path,
    params: Path = Path("params.yaml"),
) -> None:
    """Read the data set and the model; write the metrics, the folder `plots`, and codes and grid into `results`."""
    from nnlab.autoencoder.results import judge_autoencoder, write_autoencoder
    from nnlab.params import load_params
    from nnlab.results import write_metrics

    load_params(params)
    judged = judge_autoencoder(data, model)
    write_metrics(metrics, judged.metrics)
    headline = {"autoencoder_bce": "test_bce", "autoencoder_knn_accuracy": "knn_accuracy"}
    write_metrics(summary, {name: judged.metrics[key] for name, key in headline.items()})
    write_autoencoder(judged, plots, results)


if __name__ == "__main__":
    run(main)
