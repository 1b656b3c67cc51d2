"""Manners made of pieces: mosaic, stained glass, facets, marbled paper, ornament, geometric abstraction."""

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw

from nnlab.adain.paint.colour import Array, Palette, to_rgb
from nnlab.adain.paint.fields import blur, brush_texture, flow, luma, noise, relief, sigmoid, swirl, warp
from nnlab.adain.paint.filters import edge_strength, region_means, regions


def _grid(shape: tuple[int, int], pitch: float, jitter: float, rng: Generator) -> Array:
    """Seeds (N, 2) of (y, x) on a brick-like grid, moved by up to `jitter` pitches."""
    y, x = np.meshgrid(np.arange(0, shape[0] + pitch, pitch), np.arange(0, shape[1] + pitch, pitch), indexing="ij")
    x = x + (np.arange(len(x)) % 2)[:, None] * pitch / 2
    seeds = np.stack([y.ravel(), x.ravel()], axis=1)
    return seeds + rng.uniform(-jitter, jitter, size=seeds.shape) * pitch


def mosaic(scene: Array, palette: Palette, rng: Generator) -> Array:
    """Small stones in mortar, each of one colour and a little tilted."""
    shape = scene.shape[:2]
    labels, border = regions(shape, _grid(shape, rng.uniform(4.5, 9), rng.uniform(0.1, 0.35), rng))
    colours = region_means(scene, labels)
    colours = colours * (1 + rng.normal(scale=0.08, size=(len(colours), 1))) + rng.normal(
        scale=0.02, size=colours.shape
    )
    mortar = palette.sample_rgb(rng) * 0.5 + scene.mean(axis=(0, 1)) * rng.uniform(0.2, 0.6)
    stone = np.clip((border - 0.5) * 1.5, 0, 1)[..., None]
    picture = np.clip(mortar + (colours[labels] - mortar) * stone, 0, 1)
    return relief(picture, blur(np.minimum(border, 1.5), 0.6) + 0.1 * noise(shape, 3, rng), rng.uniform(0.03, 0.12))


def stained_glass(scene: Array, palette: Palette, rng: Generator) -> Array:
    """Panes of glowing glass in lead, larger where little happens."""
    shape = scene.shape[:2]
    want = edge_strength(scene, 3).ravel() + rng.uniform(0.05, 0.3)
    chosen = rng.choice(want.size, size=int(rng.integers(90, 320)), replace=False, p=want / want.sum())
    seeds = np.stack(np.unravel_index(chosen, shape), axis=1) + rng.uniform(0, 1, size=(len(chosen), 2))
    labels, border = regions(shape, seeds)
    colours = region_means(scene, labels)
    colours = np.clip(colours + (colours - colours @ np.full((3, 1), 1 / 3)) * rng.uniform(0, 0.5), 0, 1)
    glow = 1 + 0.12 * noise(shape, 12, rng, octaves=3) + 0.08 * np.clip(border / 6, 0, 1)
    lead = np.clip((border - rng.uniform(0.8, 1.6)) * 1.3, 0, 1)[..., None]
    return np.clip(colours[labels] * glow[..., None] * lead + palette.darkest() * 0.4 * (1 - lead), 0, 1)


def facets(scene: Array, palette: Palette, rng: Generator) -> Array:
    """Views from several sides in straight-edged facets, shaded from one edge to the other: analytic cubism."""
    shape = scene.shape[:2]
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    code = np.zeros(shape, dtype=np.int64)
    line = np.full(shape, 1e3, dtype=np.float32)
    for index in range(int(rng.integers(7, 15))):
        angle = rng.choice([0.5, 1.1, 2.0, 2.6]) + rng.normal(scale=0.15)
        offset = (x - rng.uniform(0, shape[1])) * np.cos(angle) + (y - rng.uniform(0, shape[0])) * np.sin(angle)
        active = (noise(shape, max(shape) / 1.5, rng) > -0.4) | (rng.random() < 0.3)  # edges end somewhere
        code |= ((offset > 0) & active).astype(np.int64) << index
        line = np.where(active, np.minimum(line, np.abs(offset)), line)
    facet, labels = np.unique(code, return_inverse=True)
    labels = labels.reshape(shape)
    shift = rng.normal(scale=rng.uniform(4, 14), size=(len(facet), 2)).astype(np.float32)[labels]
    picture = warp(scene, shift[..., 0], shift[..., 1])
    lean = rng.uniform(0, 2 * np.pi, size=len(facet)).astype(np.float32)[labels]
    ramp = np.sin((x * np.cos(lean) + y * np.sin(lean)) / rng.uniform(14, 30))
    picture = picture * (1 + rng.uniform(0.1, 0.35) * ramp)[..., None]
    tone = region_means(picture, labels)[labels]
    picture = picture + (tone - picture) * rng.uniform(0.1, 0.6)
    picture = picture + brush_texture(flow(picture, 4), 10, rng)[..., None] * rng.uniform(0.01, 0.04)
    ink = np.clip(1.4 - line, 0, 1) * rng.uniform(0.2, 0.8)
    return np.clip(picture + (palette.darkest() - picture) * ink[..., None], 0, 1)


def marbled(scene: Array, palette: Palette, rng: Generator) -> Array:
    """Floating colours drawn out with combs; the scene glimmers through."""
    shape = scene.shape[:2]
    field = noise(shape, min(shape) / rng.uniform(1.5, 4), rng, octaves=2)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    for _ in range(int(rng.integers(1, 5))):
        pitch, pull = rng.uniform(20, 70), rng.uniform(5, 25)
        if rng.random() < 0.5:
            field = warp(field, pull * np.sin(2 * np.pi * x / pitch), np.zeros(shape))
        else:
            field = warp(field, np.zeros(shape), pull * np.sin(2 * np.pi * y / pitch))
    field = field + rng.uniform(0, 0.8) * (luma(scene) - 0.5)
    rank = np.sort(field.ravel()).searchsorted(field.ravel()).reshape(shape) / field.size
    bands = int(rng.integers(8, 40))
    order = rng.choice(len(palette.weights), size=bands, p=palette.weights)
    colours = to_rgb(palette.colours[order][None])[0]
    picture = blur(colours[np.minimum((rank * bands).astype(int), bands - 1)], 0.6)
    picture = picture + (scene - picture) * rng.uniform(0, 0.45)
    return np.clip(picture + 0.02 * noise(shape, 4, rng, octaves=2)[..., None], 0, 1)


def ornament(scene: Array, palette: Palette, rng: Generator) -> Array:
    """Spirals, rings and small rectangles that fill robes and grounds around the figure: after Klimt."""
    shape = scene.shape[:2]
    sheet = Image.fromarray((blur(scene, 3) * 255).astype(np.uint8)).resize((shape[1] * 2, shape[0] * 2))
    pen = ImageDraw.Draw(sheet)
    colours = (to_rgb(palette.colours[None])[0] * 255).astype(int)
    cell = rng.uniform(9, 18) * 2
    zone = noise(shape, 60, rng)
    for y, x in _grid((shape[0] * 2, shape[1] * 2), cell, 0.25, rng):
        row, column = (int(min(max(v / 2, 0), n - 1)) for v, n in zip((y, x), shape))
        colour, other = (tuple(colours[k]) for k in rng.choice(16, size=2, p=palette.weights))
        r = cell * rng.uniform(0.25, 0.55)
        if zone[row, column] > 0.4:
            pen.rectangle((x - r * 0.5, y - r, x + r * 0.5, y + r), fill=colour, outline=other, width=2)
        elif zone[row, column] > -0.4:
            for ring in range(3):
                q = r * (1 - ring * 0.33)
                pen.ellipse((x - q, y - q, x + q, y + q), fill=(colour, other)[ring % 2])
        else:
            turns = np.linspace(0, rng.uniform(3, 5) * np.pi, 24)
            spiral = np.stack([x + r * turns / 14 * np.cos(turns), y + r * turns / 14 * np.sin(turns)], axis=1)
            pen.line(spiral.ravel().tolist(), fill=colour, width=3)
    decor = np.asarray(sheet.reduce(2), dtype=np.float32) / 255
    figure = noise(shape, min(shape) / 2, rng)
    keep = sigmoid(5 * (figure + rng.uniform(-0.5, 0.3)))[..., None]
    picture = decor + (scene - decor) * keep
    return relief(np.clip(picture, 0, 1), brush_texture(swirl(shape, 80, rng), 8, rng) * 0.3, 0.03)


def geometric(scene: Array, palette: Palette, rng: Generator) -> Array:
    """Circles, bars, triangles and arcs that float over a toned ground: after Kandinsky and Delaunay."""
    shape = scene.shape[:2]
    size = (shape[1] * 2, shape[0] * 2)
    ground = blur(scene, rng.uniform(8, 20))
    sheet = Image.fromarray((np.clip(ground, 0, 1) * 255).astype(np.uint8)).resize(size)
    pen = ImageDraw.Draw(sheet, "RGBA")
    colours = (to_rgb(palette.colours[None])[0] * 255).astype(int)
    for _ in range(int(rng.integers(25, 90))):
        fill = (*colours[rng.choice(16, p=palette.weights)].tolist(), int(rng.integers(90, 256)))
        x, y, r = rng.uniform(0, size[0]), rng.uniform(0, size[1]), min(size) * rng.uniform(0.02, 0.16)
        kind, angle = rng.integers(0, 5), rng.uniform(0, 2 * np.pi)
        if kind == 0:
            pen.ellipse((x - r, y - r, x + r, y + r), fill=fill, outline=(*colours[0].tolist(), 200), width=2)
        elif kind == 1:
            pen.arc(
                (x - r, y - r, x + r, y + r), 57 * angle, 57 * angle + 200, fill=fill, width=int(rng.integers(3, 14))
            )
        elif kind == 2:
            ends = [x, y, x + 4 * r * np.cos(angle), y + 4 * r * np.sin(angle)]
            pen.line(ends, fill=fill, width=int(rng.integers(2, 12)))
        else:
            corners = angle + np.cumsum(rng.uniform(0.8, 2.2, size=3 + int(kind == 4)))
            pen.polygon(
                np.stack([x + r * np.cos(corners), y + r * np.sin(corners)], axis=1).ravel().tolist(), fill=fill
            )
    picture = np.asarray(sheet.reduce(2), dtype=np.float32) / 255
    picture = picture + (scene - picture) * rng.uniform(0.0, 0.35)
    return relief(picture, brush_texture(flow(picture, 6), 14, rng) * 0.3, rng.uniform(0.02, 0.08))
