"""Judge the trained classifiers; write metrics, tables and figures."""

from pathlib import Path

from nnlab.data.idx import load_split
from nnlab.fashion.evaluate import judge, metrics, write_tables
from nnlab.fashion.figures import draw
from nnlab.figures import style
from nnlab.files import atomic_dir
from nnlab.params import load_params
from nnlab.results import write_metrics
from nnlab.stage import run


def main(
    data: Path, model: Path, variants: Path, network_out: Path, variants_out: Path, summary: Path, plots: Path,
    params: Path = Path("params.yaml"),
) -> None:  # fmt: skip
    """Read the data set, the network and its variants; write three metrics files and the folder `plots`."""
    loaded = load_params(params)
    test = load_split(data, "test")
    network = judge(model, test, loaded.hardware)
    compared = {
        name: judge(variants / f"{name}.safetensors", test, loaded.hardware) for name in loaded.fashion.variants
    }
    write_metrics(network_out, metrics(network))
    write_metrics(variants_out, {name: metrics(judged) for name, judged in compared.items()})
    best = max(judged.accuracy for judged in compared.values())
    write_metrics(summary, {"fashion_accuracy": network.accuracy, "best_variant_accuracy": best})
    with atomic_dir(plots) as folder, style():
        write_tables(network, compared, folder)
        draw(test[0].numpy(), network, compared, folder)


if __name__ == "__main__":
    run(main)
