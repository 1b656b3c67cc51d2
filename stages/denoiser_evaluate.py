"""Judge the denoiser; draw its curves and the digits 0-9."""

from pathlib import Path

from nnlab.stage import run


def main(
    data: Path, model: Path, metrics: Path, summary: Path, plots: Path, params: Path = Path("params.yaml")
) -> None:
    """Read the data set and the model; write the metrics and the folder `plots`."""
    from nnlab.autoencoder.results import judge_denoiser, write_denoiser
    from nnlab.params import load_params
    from nnlab.results import write_metrics

    load_params(params)
    judged = judge_denoiser(data, model)
    write_metrics(metrics, judged.metrics)
    write_metrics(summary, {"denoised_psnr_db": judged.metrics["denoised_psnr_db"]})
    write_denoiser(judged, plots)


if __name__ == "__main__":
    run(main)
