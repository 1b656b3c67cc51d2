"""The page of `dvc plots` with its scripts inside: DVC's own loads them from a CDN, which many networks block.

`make install` writes it with `python -m nnlab.report.plots_page FILE`, and names it to DVC as `plots.html_template`.
"""

from pathlib import Path

import vl_convert
from dvc_render.html import PAGE_HTML

from nnlab.files import atomic
from nnlab.stage import script

VEGA_LITE = "5.8"  # of those that vl-convert carries, the nearest to DVC's 5.2
# Without the link to an editor in the net, below each chart.
EMBED = "window.vegaEmbed = (id, spec) => vegaEmbed(id, spec, {actions: {export: true, source: true, editor: false}});"


@script
def main(path: Path) -> None:
    """Write DVC's template for the page with scripts for its `{scripts}`; the other names in braces DVC fills in."""
    code = vl_convert.javascript_bundle(EMBED, VEGA_LITE)
    page = PAGE_HTML.replace("{scripts}", f"<meta charset='utf-8'><script>(() => {{ {code} }})();</script>")
    with atomic(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
