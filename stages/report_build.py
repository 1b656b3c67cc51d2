"""Write the report: the web page, and the PDF to hand in."""

import sys
from pathlib import Path

from nnlab.files import atomic
from nnlab.report.build import pdf, web_page
from nnlab.report.facts import gather
from nnlab.report.pack import file_name
from nnlab.stage import script


@script
def main(source: Path, metrics: Path, plots: Path, data: Path, folder: Path, params: Path) -> None:
    """Read the folders' result files, quote the package at `source`, and write page and PDF into `folder`."""
    facts = gather(params, metrics, plots, data)
    if facts["unset"]:
        print(f"report_build: {', '.join(facts['unset'])} not set in params.yaml: placeholders", file=sys.stderr)
    with atomic(folder / "index.html") as temporary:
        temporary.write_text(web_page(facts, source), encoding="utf-8")
    with atomic(folder / f"{file_name(facts['report'])}.pdf") as temporary:
        temporary.write_bytes(pdf(facts, source))
