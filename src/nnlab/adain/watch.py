"""What a training run shows while it runs: a progress line, TensorBoard."""

from types import TracebackType

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from nnlab.adain.model import Encoder, adain, to_images
from nnlab.adain.pairs import Pair
from nnlab.adain.train import Report, learning_rate
from nnlab.params import AdainTrainParams
from nnlab.training.progress import Progress
from nnlab.training.tensorboard import log_writer

COLUMNS = ("iteration", "content_loss", "style_loss", "learning_rate")
PICTURES = 4  # held-out pairs that TensorBoard shows
PICTURES_TIMES = 10  # how often in a run
ADDED = """Beside the paper's content and style loss, which the curves show, the decoder is pulled to two things.
**Structure**, in every step: features of relu1_1 ... relu3_1 towards their own AdaIN, because relu4_1 alone leaves a
shape free by some pixels (halos, doubled contours). **Identity**, in a share of the steps: the style is the photo
itself and pixels are pulled to it (SANet, Park & Lee 2019), so that the decoder learns to invert the encoder."""


def rows(losses: Tensor, first: int, params: AdainTrainParams) -> list[tuple[int, float, float, float]]:
    """Rows of the curves: iteration, mean content and style loss (unweighted) since the last row, learning rate.

    `losses` (k, 2) are those of the iterations after `first`; a row ends at each multiple of `log_every` and at the
    end of the training.
    """
    found = []
    start = first
    while start < first + len(losses):
        stop = min(start - start % params.log_every + params.log_every, params.max_iter)
        if stop > first + len(losses):
            break  # not complete yet
        content, style = losses[start - first : stop - first].double().mean(dim=0).tolist()
        found.append((stop, content, style, learning_rate(params, stop - 1)))
        start = stop
    return found


class Watch:
    """Callable for ``train``: `with Watch(...) as watch: train(..., watch)`."""

    def __init__(self, params: AdainTrainParams, encoder: Encoder, pairs: list[Pair]) -> None:
        """The first few of the held-out `pairs` are shown."""
        self._params = params
        pictures = [[to_images(picture, torch.float32) for picture in pair] for pair in pairs[:PICTURES]]
        self._target = torch.cat([adain(*map(encoder.encode, pair)) for pair in pictures])
        side = pictures[0][0].shape[-1]
        self._images = [torch.cat([F.interpolate(pair[n], side) for pair in pictures]) for n in range(2)]
        self._writer: SummaryWriter | None = None
        self._bar: Progress | None = None
        self._waiting, self._first, self._shown = torch.empty(0, 2), 0, -1

    def __enter__(self) -> "Watch":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.__exit__(kind, error, trace)
        if self._writer:
            self._writer.close()

    def __call__(self, report: Report) -> None:
        """Show what is new; the first call tells how far an earlier run came, and writes its curves again."""
        if self._writer is None or self._bar is None:
            self._writer = log_writer("adain")
            self._writer.add_text("losses", ADDED)
            self._bar = Progress(self._params.max_iter, "training the decoder", start=report.step)
        else:
            content, style = report.losses.mean(dim=0).tolist()
            self._bar.update(len(report.losses), content=content, style=style)
        self._curves(self._writer, report.losses)
        tenth = report.step * PICTURES_TIMES // self._params.max_iter
        if tenth > self._shown:
            self._shown = tenth
            self._pictures(self._writer, report)

    def _curves(self, writer: "SummaryWriter", losses: Tensor) -> None:
        self._waiting = torch.cat([self._waiting, losses])
        for iteration, content, style, rate in rows(self._waiting, self._first, self._params):
            for name, value in (("content_loss", content), ("style_loss", style), ("learning_rate", rate)):
                writer.add_scalar(name, value, iteration)
            self._waiting, self._first = self._waiting[iteration - self._first :], iteration

    @torch.no_grad()
    def _pictures(self, writer: "SummaryWriter", report: Report) -> None:
        """Content, style and result of the same held-out pairs, a row each."""
        device = next(report.decoder.parameters()).device
        result = report.decoder(self._target.to(device)).clamp(0, 1).cpu()
        sheet = torch.cat([torch.cat(list(images), dim=2) for images in (*self._images, result)], dim=1)
        writer.add_image("content, style, result", sheet, report.step)
