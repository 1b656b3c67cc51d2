"""Judge the trained classifiers; write metrics, tables and figures."""

from pathlib import Path

from nnlab.stage import run


def main(
    data: Path, model: Path, variants: Path, metrics: Path, variant_metrics: Path, summary: Path, plots: Path,
    params: Path = Path("params.yaml"),
) -> None:  # fmt: skip
    """Read the data set, the network and its variants; write three metrics files and the folder `plots`."""
    from nnlab.data.idx import load_split
    from nnlab.fashion import figures, tables
    from nnlab.fashion.judge import judge
    from nnlab.figures import style
    from nnlab.files import atomic_dir
    from nnlab.params import load_params
    from nnlab.results import write_metrics

    loaded = load_params(params)
    hardware, names = loaded.hardware, list(loaded.fashion.variants)
    split = load_split(data, "test")
    main_one = judge(model, split, hardware.device, hardware.precision)
    compared = {
        name: judge(variants / f"{name}.safetensors", split, hardware.device, hardware.precision) for name in names
    }
    write_metrics(metrics, tables.metrics(main_one))
    write_metrics(variant_metrics, {name: tables.metrics(judged) for name, judged in compared.items()})
    write_metrics(summary, tables.summary(main_one, compared))
    with atomic_dir(plots) as folder, style():
        tables.write(main_one, compared, folder)
        figures.draw(split[0].numpy(), main_one, compared, folder)


if __name__ == "__main__":
    run(main)
