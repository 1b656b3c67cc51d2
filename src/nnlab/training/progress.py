"""Progress of long jobs: a bar with a rate and an ETA on a terminal, plain lines in a log."""

import sys
from types import SimpleNamespace
from typing import Any

from tqdm import tqdm

LINE = "{desc}: {n_fmt}/{total_fmt} {unit}, {rate_fmt}, {remaining} left{postfix}"
LINE_WITHOUT_TOTAL = "{desc}: {n_fmt} {unit}, {rate_fmt}{postfix}"
SECONDS = 10.0  # between two lines


def _write_line(text: str) -> None:
    """Write what tqdm would draw over its last bar as a line."""
    if text.strip():
        print(text.strip(), file=sys.stderr, flush=True)


class Progress(tqdm):
    """Counts steps of a job: `with Progress(total, "training") as bar: bar.update(1, loss=0.3)`.

    `start` is the number of steps that an earlier, interrupted run has done already. A total of 0 means that nobody
    knows it.
    """

    def __init__(self, total: int, description: str, unit: str = "it", start: int = 0) -> None:
        look: dict[str, Any] = {"dynamic_ncols": True}
        if not sys.stderr.isatty():
            line = LINE if total else LINE_WITHOUT_TOTAL
            log = SimpleNamespace(write=_write_line)
            look = {"file": log, "bar_format": line, "mininterval": SECONDS, "miniters": 1}
        super().__init__(total=total or None, initial=start, desc=description, unit=unit, **look)

    def update(self, steps: int = 1, **values: float) -> None:
        """Count `steps` more; show the named `values`: floats at hand, never a tensor that makes the device wait."""
        if values:
            self.set_postfix({name: f"{value:.4g}" for name, value in values.items()}, refresh=False)
        super().update(steps)
