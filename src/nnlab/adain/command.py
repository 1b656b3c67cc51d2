"""What the subcommands `nnlab stylize` and `nnlab export` do with their options (see nnlab.cli)."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from nnlab.adain.jobs import Drawing, Job, Options, plan
from nnlab.adain.model import Decoder, Encoder
from nnlab.adain.reference_files import write_reference_files
from nnlab.adain.shipped import shipped_decoder, shipped_encoder
from nnlab.adain.stylize import Stylizer, check
from nnlab.adain.weights import load_decoder, load_encoder
from nnlab.errors import UserError
from nnlab.training.device import pick_device, pick_precision
from nnlab.training.progress import Progress


def stylize(options: argparse.Namespace) -> None:
    """Run `nnlab stylize`; raises UserError."""
    weights = _weights(options.style_weights)
    jobs = plan(options.content, _paths(options.style), options.output, f".{options.format}")
    check(options.alpha, weights, len(jobs[0].styles))
    how = Options(weights, options.alpha, options.preserve_color, options.size, options.style_size)
    alone = len(jobs) == 1 and not options.content.is_dir() and not Path(options.style[0]).is_dir()
    try:
        if alone:
            _make_one(_stylizer(options), jobs[0], how)
        else:
            _make_all(_stylizer(options), jobs, how)
    except (MemoryError, RuntimeError) as error:
        reason = (str(error) or "MemoryError").splitlines()[0]
        if isinstance(error, RuntimeError) and "memory" not in reason:
            raise
        raise UserError(f"not enough memory ({reason}): try a smaller --size, or --device cpu") from None


def _make_one(stylizer: Stylizer, job: Job, how: Options) -> None:
    """Make one picture; a file that cannot be used is an error."""
    drawing = Drawing(stylizer, how, _TileProgress())
    if not drawing.make(job):
        raise next(iter(drawing.broken.values()))
    print(job.output)


def _make_all(stylizer: Stylizer, jobs: Sequence[Job], how: Options) -> None:
    """Make the pictures of folders; files that cannot be used are left out."""
    drawing = Drawing(stylizer, how)
    with Progress(len(jobs), "stylize", "picture") as bar:
        made = 0
        for job in jobs:
            made += drawing.make(job)
            bar.update()
    _summarise(made, jobs, drawing.broken)


def _summarise(made: int, jobs: Sequence[Job], broken: dict[Path, UserError]) -> None:
    """Say what a run over folders made, and list the files that it left out."""
    if broken:
        print(f"{len(broken)} broken file{'s' if len(broken) > 1 else ''} left out:", file=sys.stderr)
        for error in broken.values():
            print(f"  {error}", file=sys.stderr)
    if not made:
        raise UserError("no picture was made: every one needs a file that cannot be used")
    print(f"{made} of {len(jobs)} pictures in {jobs[0].output.parent}")


class _TileProgress:
    """A bar over the tiles of one large picture; small ones are done before anyone would read it."""

    def __init__(self) -> None:
        self._bar: Progress | None = None

    def __call__(self, done: int, total: int) -> None:
        if total < 8:
            return
        self._bar = self._bar or Progress(total, "stylize", "tile")
        self._bar.update()
        if done == total:
            self._bar.__exit__(None, None, None)


def _stylizer(options: argparse.Namespace) -> Stylizer:
    device = pick_device(options.device)
    return Stylizer(*_models(options), device, pick_precision(options.precision, device))


def _models(options: argparse.Namespace) -> tuple[Encoder, Decoder]:
    encoder = load_encoder(options.encoder) if options.encoder else shipped_encoder()
    decoder = load_decoder(options.decoder) if options.decoder else shipped_decoder()
    return encoder, decoder


def export_networks(options: argparse.Namespace) -> None:
    """Run `nnlab export`."""
    for path in write_reference_files(*_models(options), options.output):
        print(path)


def _paths(texts: list[str]) -> list[Path]:
    """Style paths, apart by spaces, or by commas (pytorch-AdaIN's way) where no file has the whole name."""
    found = [
        Path(part)
        for text in texts
        for part in ([text] if "," not in text or Path(text).exists() else filter(None, text.split(",")))
    ]
    if not found:
        raise UserError(f"--style {' '.join(texts)}: names no picture; give a file or a folder")
    return found


def _weights(texts: list[str] | None) -> list[float] | None:
    """Style weights, apart by spaces or commas."""
    if texts is None:
        return None
    try:
        return [float(part) for text in texts for part in text.split(",") if part]
    except ValueError:
        raise UserError(f"--style-weights {' '.join(texts)}: must be numbers, one for each style") from None
