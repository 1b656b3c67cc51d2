"""The brush: strokes as tapering polygons that follow a field of directions, drawn from the back to the front."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw

from nnlab.adain.paint.colour import Array
from nnlab.adain.paint.fields import blur

SCALE = 2  # strokes are drawn this many times larger and scaled down, for smooth edges


@dataclass(frozen=True)
class Brush:
    """How one layer is painted. Lengths are pixels of the picture.

    radius: half the stroke's width; length: of a stroke, in radii; spacing: of strokes, in radii; jitter: deviation of
    the colour per channel; wander: deviation of the direction in radians; threshold: only where the layer below differs
    from the picture by at least this much; opacity: 1 covers.
    """

    radius: float
    length: float = 6.0
    spacing: float = 1.0
    jitter: float = 0.03
    wander: float = 0.15
    threshold: float = 0.0
    opacity: float = 1.0


class Canvas:
    """A picture in work: colours and, beside them, the height of the paint."""

    def __init__(self, ground: Array) -> None:
        self.shape = ground.shape[:2]
        size = (self.shape[1] * SCALE, self.shape[0] * SCALE)
        self._colour = Image.fromarray((ground * 255).astype(np.uint8)).resize(size)
        self._height = Image.new("L", size, 128)

    def picture(self) -> Array:
        """The colours (H, W, 3)."""
        return np.asarray(self._colour.reduce(SCALE), dtype=np.float32) / 255

    def height(self) -> Array:
        """Height of the paint (H, W), 0 to 1."""
        return np.asarray(self._height.reduce(SCALE), dtype=np.float32) / 255

    def paint(self, target: Array, direction: Array, brush: Brush, rng: Generator) -> None:
        """Put one layer of strokes that bring the canvas towards `target` (after Hertzmann 1998, section 2).

        `target` (H, W, 3) is blurred to the brush's size first; `direction` (H, W) in radians.
        """
        reference = blur(target, brush.radius * 0.5)
        y, x = self._places(reference, brush, rng)
        if len(y) == 0:
            return
        row, column = y.astype(np.intp), x.astype(np.intp)
        colours = reference[row, column] + rng.normal(scale=brush.jitter, size=(len(y), 3))
        colours += rng.normal(scale=brush.jitter, size=(len(y), 1))
        paths = _follow(y, x, direction, brush, rng)
        self._draw(paths, np.clip(colours, 0, 1), brush, rng)

    def _places(self, reference: Array, brush: Brush, rng: Generator) -> tuple[Array, Array]:
        """Start points: a jittered grid, shuffled, thinned out where the canvas is right already."""
        step = max(brush.radius * brush.spacing, 1.0)
        y, x = np.meshgrid(np.arange(0, self.shape[0], step), np.arange(0, self.shape[1], step), indexing="ij")
        y = np.clip(y.ravel() + rng.uniform(-step, step, y.size) / 2, 0, self.shape[0] - 1)
        x = np.clip(x.ravel() + rng.uniform(-step, step, x.size) / 2, 0, self.shape[1] - 1)
        if brush.threshold > 0:
            error = blur(np.abs(self.picture() - reference).sum(axis=2), brush.radius * 0.5)
            keep = error[y.astype(np.intp), x.astype(np.intp)] > brush.threshold
            y, x = y[keep], x[keep]
        order = rng.permutation(len(y))
        return y[order].astype(np.float32), x[order].astype(np.float32)

    def _draw(self, paths: Array, colours: Array, brush: Brush, rng: Generator) -> None:
        outlines = np.rint(_outline(paths, brush.radius) * SCALE).astype(int).reshape(len(paths), -1).tolist()
        alpha = round(255 * brush.opacity)
        fills = (colours * 255).astype(int).tolist()
        levels = rng.integers(60, 200, size=len(paths)).tolist()
        pen = ImageDraw.Draw(self._colour, "RGBA") if alpha < 255 else ImageDraw.Draw(self._colour)
        relief = ImageDraw.Draw(self._height)
        for outline, fill, level in zip(outlines, fills, levels):
            pen.polygon(outline, fill=(*fill, alpha) if alpha < 255 else tuple(fill))
            relief.polygon(outline, fill=level)


def _follow(y: Array, x: Array, direction: Array, brush: Brush, rng: Generator, points: int = 6) -> Array:
    """Walk from the start points along the directions: (N, points, 2) of (x, y)."""
    height, width = direction.shape
    lengths = brush.radius * brush.length * rng.uniform(0.6, 1.4, size=len(y)).astype(np.float32)
    step = lengths / (points - 1)
    lean = rng.normal(scale=brush.wander, size=len(y)).astype(np.float32)
    turn = rng.integers(0, 2, size=len(y)) * np.float32(np.pi)  # half of the strokes go the other way
    path = np.empty((len(y), points, 2), dtype=np.float32)
    before = None
    for index in range(points):
        path[:, index, 0], path[:, index, 1] = x, y
        row = np.clip(y, 0, height - 1).astype(np.intp)
        column = np.clip(x, 0, width - 1).astype(np.intp)
        angle = direction[row, column] + lean + turn
        u, v = np.cos(angle), np.sin(angle)
        if before is not None:
            sign = np.where(u * before[0] + v * before[1] < 0, -1, 1)
            u, v = u * sign, v * sign
        before = (u, v)
        x, y = x + u * step, y + v * step
    return path


def _outline(paths: Array, radius: float) -> Array:
    """Polygons (N, 2 * points, 2) around the paths, thick in the middle, with rounded ends."""
    points = paths.shape[1]
    along = np.gradient(paths, axis=1)
    along /= np.maximum(np.linalg.norm(along, axis=2, keepdims=True), 1e-6)
    across = np.stack([-along[..., 1], along[..., 0]], axis=-1)
    t = np.linspace(0, 1, points)
    width = radius * np.sqrt(np.clip(1 - (2 * t - 1) ** 4, 0.12, 1)).astype(np.float32)
    side = across * width[None, :, None]
    return np.concatenate([paths + side, (paths - side)[:, ::-1]], axis=1)
