"""Progress of long jobs: a bar with a rate and an ETA on a terminal, plain lines in a log."""

import sys
import time

from tqdm import tqdm

LOG_EVERY_SECONDS = 10.0


class Progress:
    """Counts steps of a job: `with Progress(total, "training") as bar: bar.update(1, loss=0.3)`.

    `start` is the number of steps that an earlier, interrupted run has done already. Values given to `update` are
    shown as they are: pass floats that are at hand, never a tensor that would make the device wait. A total of 0 means
    that nobody knows it.
    """

    def __init__(self, total: int, description: str, unit: str = "it", start: int = 0) -> None:
        self._terminal = sys.stderr.isatty()
        self._bar = tqdm(
            total=total or None,
            initial=start,
            desc=description,
            unit=unit,
            disable=not self._terminal,
            dynamic_ncols=True,
        )
        self._done, self._start, self._total, self._unit, self._description = start, start, total, unit, description
        self._began = self._logged = time.monotonic()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._bar.close()
        if kind is None and not self._terminal:
            self._line({})

    def update(self, steps: int = 1, **values: float) -> None:
        """Count `steps` more, and show the named `values` beside the rate."""
        self._done += steps
        self._bar.update(steps)
        if values and self._terminal:
            self._bar.set_postfix({name: f"{value:.4g}" for name, value in values.items()}, refresh=False)
        if not self._terminal and time.monotonic() - self._logged >= LOG_EVERY_SECONDS:
            self._line(values)

    def _line(self, values: dict[str, float]) -> None:
        self._logged = time.monotonic()
        elapsed = max(self._logged - self._began, 1e-9)
        rate = (self._done - self._start) / elapsed
        left = f", {(self._total - self._done) / rate:.0f} s left" if rate > 0 and self._total else ""
        shown = "".join(f", {name} {value:.4g}" for name, value in values.items())
        head = f"{self._description}: {self._done}{f'/{self._total}' if self._total else ''} {self._unit}"
        print(f"{head}, {rate:.1f} {self._unit}/s{left}{shown}", file=sys.stderr, flush=True)
