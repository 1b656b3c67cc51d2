"""Progress of long jobs: a bar with a rate and an ETA on a terminal, plain lines in a log."""

import sys
from typing import Any

from tqdm import tqdm

LINE = "{desc}: {n_fmt}/{total_fmt} {unit}, {rate_fmt}, {remaining} left{postfix}"
LINE_WITHOUT_TOTAL = "{desc}: {n_fmt} {unit}, {rate_fmt}{postfix}"
LOG: dict[str, Any] = {"mininterval": 10.0, "miniters": 1, "delay": 1e-9}  # seconds; no line before the first step


class Progress(tqdm):
    """Counts steps of a job: `with Progress(total, "training") as bar: bar.update(1, loss=0.3)`.

    `start` is the number of steps that an earlier, interrupted run has done already. A total of 0 means that nobody
    knows it.
    """

    def __init__(self, total: int, description: str, unit: str = "it", start: int = 0) -> None:
        self._terminal = sys.stderr.isatty()
        look = {} if self._terminal else {**LOG, "bar_format": LINE if total else LINE_WITHOUT_TOTAL}
        super().__init__(total=total or None, initial=start, desc=description, unit=unit, dynamic_ncols=True, **look)

    def update(self, steps: int = 1, **values: float) -> None:
        """Count `steps` more; show the named `values`: floats at hand, never a tensor that makes the device wait."""
        if values:
            self.set_postfix({name: f"{value:.4g}" for name, value in values.items()}, refresh=False)
        super().update(steps)

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        """Draw the bar again, or write a line."""
        if self._terminal:
            super().display(msg, pos)
        else:
            print(self, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the last state of the bar, or a last line."""
        if not self._terminal and not self.disable:
            self.display()
            self.disable = True
        super().close()
