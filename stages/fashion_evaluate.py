"""Judge the trained classifiers; write metrics, tables and figures."""

from pathlib import Path

from nnlab.data.idx import load_split
from nnlab.fashion.evaluate import judge
from nnlab.fashion.figures import draw
from nnlab.params import Params
from nnlab.results import write_metrics
from nnlab.stage import script


@script
def main(
    data: Path, model: Path, variants: Path, network_out: Path, variants_out: Path, summary: Path, plots: Path,
    params: Params,
) -> None:  # fmt: skip
    """Read the data set, the network and its variants; write three metrics files and the folder `plots`."""
    test = load_split(data, "test")
    network = judge(model, test, params.hardware)
    files = {name: variants / f"{name}.safetensors" for name in params.fashion.variants}
    compared = {name: judge(file, test, params.hardware) for name, file in files.items()}
    write_metrics(network_out, network.metrics)
    write_metrics(variants_out, {name: judged.metrics for name, judged in compared.items()})
    best = max(judged.metrics["test_accuracy"] for judged in compared.values())
    write_metrics(summary, {"fashion_accuracy": network.metrics["test_accuracy"], "best_variant_accuracy": best})
    draw(test[0].numpy(), network, compared, plots)
