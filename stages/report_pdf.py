"""Write the report to hand in as PDF."""

import sys
from pathlib import Path

from nnlab.stage import run


def main(source: Path, metrics: Path, plots: Path, data: Path, out: Path, params: Path = Path("params.yaml")) -> None:
    """Read the folders' result files, quote the package at `source`, and write `out`; warnings go to stderr, too."""
    from nnlab.files import atomic
    from nnlab.params import load_params
    from nnlab.report.build import build
    from nnlab.report.inputs import Inputs
    from nnlab.report.pdf import render

    everything = load_params(params)
    report = build(everything, everything.report, Inputs(metrics, plots, data))
    for line in report.warnings:
        print(f"report_pdf: warning: {line}", file=sys.stderr)
    with atomic(out) as temporary:
        temporary.write_bytes(render(report, source))


if __name__ == "__main__":
    run(main)
