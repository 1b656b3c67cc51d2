"""The page of `dvc plots` with its scripts inside: DVC's own loads them from a CDN, which many networks block.

`make install` writes it with `python -m nnlab.report.plots_page FILE`, and names it to DVC as `plots.html_template`.
"""

from pathlib import Path

import vl_convert

from nnlab.files import atomic
from nnlab.stage import run

VEGA_LITE = "5.8"  # of those that vl-convert carries, the nearest to DVC's 5.2
# Without the link to an editor in the net, below each chart.
EMBED = "window.vegaEmbed = (id, spec) => vegaEmbed(id, spec, {actions: {export: true, source: true, editor: false}});"
PAGE = """<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
{refresh_tag}
<title>DVC Plot</title>
<style>table { border-spacing: 15px; }</style>
<script>(() => { %s })();</script>
</head>
<body>
{plot_divs}
</body>
</html>
"""


def main(path: Path) -> None:
    """Write DVC's template for the page: the names in braces are what it fills in."""
    with atomic(path) as temporary:
        temporary.write_text(PAGE % vl_convert.javascript_bundle(EMBED, VEGA_LITE), encoding="utf-8")


if __name__ == "__main__":
    run(main)
