"""Judge the denoiser; draw its curves and the digits 0-9."""

from pathlib import Path

from nnlab.autoencoder.evaluate import judge
from nnlab.autoencoder.figures import draw_denoiser
from nnlab.params import DenoiserParams
from nnlab.results import write_metrics
from nnlab.stage import script


@script
def main(data: Path, model: Path, metrics: Path, summary: Path, plots: Path) -> None:
    """Read the data set and the model; write the metrics and the folder `plots`."""
    judged = judge(data, model, DenoiserParams)
    write_metrics(metrics, judged.metrics)
    write_metrics(summary, {"denoised_psnr_db": judged.metrics["denoised_psnr_db"]})
    draw_denoiser(judged, plots)
