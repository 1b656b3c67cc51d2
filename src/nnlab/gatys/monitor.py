"""Shows a painting at work: a progress bar with losses, rate and ETA, and TensorBoard with losses and pictures."""

from types import TracebackType

from nnlab.gatys.painter import Level, Step
from nnlab.training.progress import Progress
from nnlab.training.tensorboard import log_writer


class Monitor:
    """Callback for `paint`: `with Monitor(name, levels) as monitor: paint(..., on_step=monitor)`."""

    def __init__(self, name: str, levels: list[Level]) -> None:
        self._name, self._levels = name, levels
        self._writer = log_writer(name)
        self._bar: Progress | None = None
        self._replayed = 0

    def __enter__(self) -> "Monitor":
        return self

    def __call__(self, step: Step) -> None:
        """Count one step; TensorBoard gets those of the full size, by iteration."""
        if step.level.last:
            self._log(step)
        if step.replayed:
            self._replayed += 1
            return
        if self._bar is None:
            done = sum(level.iterations for level in self._levels[: step.level.number]) + self._replayed
            self._bar = Progress(sum(level.iterations for level in self._levels), self._name, start=done).__enter__()
        losses = {kind: sum(v for k, v in step.losses.items() if k.startswith(kind)) for kind in ("content", "style")}
        self._bar.update(1, loss=step.losses["total"], **losses)

    def _log(self, step: Step) -> None:
        for name, value in step.losses.items():
            self._writer.add_scalar(f"loss/{name}", value, step.iteration - 1)
        if step.snapshot is not None:
            self._writer.add_image("result", step.snapshot[0], step.iteration)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()
        if self._bar is not None:
            self._bar.__exit__(kind, error, trace)
