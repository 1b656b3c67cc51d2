"""Write the report as one web page."""

from pathlib import Path

from nnlab.stage import run


def main(metrics: Path, plots: Path, data: Path, page: Path, params: Path = Path("params.yaml")) -> None:
    """Read the folders' result files and write `page`."""
    from nnlab.files import atomic
    from nnlab.params import load_params
    from nnlab.report.build import build
    from nnlab.report.inputs import Inputs
    from nnlab.report.web import render

    everything = load_params(params)
    report = build(everything, everything.report, Inputs(metrics, plots, data))
    with atomic(page) as temporary:
        temporary.write_text(render(report), encoding="utf-8")


if __name__ == "__main__":
    run(main)
