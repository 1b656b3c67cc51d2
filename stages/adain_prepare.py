"""Pack the pictures of an image set once: resized, JPEG, damaged and double ones left out, into shards."""

import sys
from pathlib import Path

from nnlab.data.containers import pictures
from nnlab.data.packing import LEFT_OUT, pack
from nnlab.data.sets import locate
from nnlab.params import Params
from nnlab.stage import script


@script
def main(fetched: Path, sample: Path, out: Path, params: Params) -> None:
    """Pack the set that lies in `fetched`, or in `sample` where the sample is asked for, into `out`."""
    settings = params.adain.data
    source, what = locate(fetched, sample)
    summary = pack(
        pictures(source), out, settings.short_side, quality=settings.quality, least=settings.least, source=what
    )
    left_out = ", ".join(f"{number} {kind}" for kind, number in summary["left_out"].items()) or "none"
    print(f"{out}: {summary['images']} pictures; left out: {left_out} (see {out / LEFT_OUT})", file=sys.stderr)
