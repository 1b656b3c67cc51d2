"""Manners made of brush strokes. Each takes a scene (H, W, 3) in its final colours and gives the painted picture."""

import numpy as np
from numpy.random import Generator

from nnlab.adain.paint.brush import Brush, Canvas
from nnlab.adain.paint.colour import Array, Palette
from nnlab.adain.paint.fields import (
    blur,
    brush_texture,
    canvas,
    flow,
    luma,
    mix_directions,
    noise,
    paper,
    relief,
    sigmoid,
    swirl,
)
from nnlab.adain.paint.filters import contours, kuwahara


def _ground(scene: Array, rng: Generator) -> Array:
    """A toned canvas: the mean colour, darker or lighter."""
    return np.clip(np.broadcast_to(scene.mean(axis=(0, 1)) * rng.uniform(0.5, 1.2), scene.shape), 0, 1)


def oil(scene: Array, palette: Palette, rng: Generator) -> Array:
    """Curved strokes of three sizes, coarse to fine (Hertzmann 1998), with the relief of thick paint."""
    scale = rng.uniform(0.6, 1.5)
    direction = flow(scene, 4 * scale)
    work = Canvas(_ground(scene, rng))
    for radius, threshold in ((12, 0.0), (6, 0.12), (3, 0.16), (1.6, 0.25)):
        brush = Brush(radius * scale, rng.uniform(4, 9), 1.0, rng.uniform(0.01, 0.04), 0.15, threshold)
        work.paint(scene, direction, brush, rng)
    height = blur(work.height(), 0.7) * 2 + 0.12 * brush_texture(direction, 12, rng)
    return relief(work.picture(), height, rng.uniform(0.03, 0.12))


def classical(scene: Array, palette: Palette, rng: Generator) -> Array:
    """Smooth modelling in small strokes, dark corners, fine canvas: the studio of before 1850."""
    direction = flow(scene, 3)
    work = Canvas(kuwahara(scene, int(rng.integers(1, 4))))
    work.paint(scene, direction, Brush(rng.uniform(1.6, 2.6), 5, 1.1, 0.012, 0.2, 0.05, 0.7), rng)
    picture = blur(work.picture(), rng.uniform(0.3, 0.8))
    y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in scene.shape[:2])
    far = np.hypot(y[:, None] - rng.uniform(-0.3, 0.3), x[None, :] - rng.uniform(-0.3, 0.3))
    picture = picture * (1 - rng.uniform(0.1, 0.6) * np.clip(far - 0.3, 0, 1) ** 1.5)[..., None]
    grain = canvas(scene.shape[:2], rng) * 0.012 + brush_texture(direction, 8, rng) * rng.uniform(0.005, 0.025)
    return np.clip(picture + grain[..., None], 0, 1)


def impressionist(scene: Array, palette: Palette, rng: Generator) -> Array:
    """Short dabs of broken colour over a soft underpainting (Litwinowicz 1997)."""
    direction = mix_directions(flow(scene, 6), np.full(scene.shape[:2], rng.uniform(0, np.pi)), rng.uniform(0, 0.6))
    work = Canvas(blur(scene, 5))
    radius = rng.uniform(1.6, 3.6)
    jitter = rng.uniform(0.03, 0.08)
    work.paint(scene, direction, Brush(radius * 1.6, 3.5, 1.0, jitter, 0.4), rng)
    work.paint(scene, direction, Brush(radius, 3.5, 1.3, jitter, 0.5, 0.1), rng)
    return relief(work.picture(), blur(work.height(), 0.6), rng.uniform(0.04, 0.12))


def swirling(scene: Array, palette: Palette, rng: Generator) -> Array:
    """Long rhythmic strokes that follow forms and eddies, light beside dark, thick paint: after van Gogh."""
    shape = scene.shape[:2]
    forms = sigmoid(60 * blur(np.abs(scene - blur(scene, 3)).mean(axis=2), 4) - 4)  # where there are any, they lead
    direction = mix_directions(swirl(shape, min(shape) * rng.uniform(0.3, 0.7), rng), flow(scene, 5), forms)
    radius = rng.uniform(1.6, 3.0)
    work = Canvas(np.clip(blur(scene, 4) * rng.uniform(0.6, 0.9), 0, 1))
    brush = Brush(radius, rng.uniform(8, 16), 1.4, rng.uniform(0.03, 0.07), 0.06)
    work.paint(scene, direction, brush, rng)
    work.paint(scene, direction, Brush(radius * 0.7, 8, 1.8, 0.05, 0.06, 0.2), rng)
    height = blur(work.height(), 0.5) + 0.1 * brush_texture(direction, 14, rng)
    return relief(work.picture(), height, rng.uniform(0.1, 0.25))


def pointillist(scene: Array, palette: Palette, rng: Generator) -> Array:
    """Dots of pure colour, some of the complement, on a light ground: after Seurat and Signac."""
    radius = rng.uniform(1.2, 3.2)
    work = Canvas(np.clip(blur(scene, 4) * 0.5 + 0.5 * rng.uniform(0.6, 0.95), 0, 1))
    vivid = np.clip(scene + (scene - luma(scene)[..., None]) * rng.uniform(0.2, 0.6), 0, 1)
    direction = rng.uniform(0, np.pi, size=scene.shape[:2]).astype(np.float32)
    length = rng.choice([1.4, 1.4, 2.6])
    for spacing in (1.4, 1.2):
        work.paint(vivid, direction, Brush(radius, length, spacing, rng.uniform(0.03, 0.08), 0.3), rng)
    return relief(work.picture(), blur(work.height(), 0.5), rng.uniform(0, 0.08))


def knife(scene: Array, palette: Palette, rng: Generator) -> Array:
    """Broad slabs of the palette knife with hard edges and ridges."""
    steps = int(rng.integers(3, 7))
    direction = np.round(flow(scene, 8) / (np.pi / steps)).astype(np.float32) * np.float32(np.pi / steps)
    work = Canvas(_ground(scene, rng))
    scale = rng.uniform(0.6, 1.3)
    for radius, threshold in ((14, 0.0), (8, 0.1), (4.5, 0.22)):
        work.paint(scene, direction, Brush(radius * scale, 3.0, 0.9, 0.03, 0.35, threshold), rng)
    streaks = brush_texture(direction, 24, rng)
    return relief(work.picture(), work.height() * 2 + 0.06 * streaks, rng.uniform(0.1, 0.22))


def fauve(scene: Array, palette: Palette, rng: Generator) -> Array:
    """Flat, free patches of colour in broad strokes, with dark contours: after Matisse and Derain."""
    flat = kuwahara(scene, 4)
    drift = np.stack([blur(rng.normal(size=scene.shape[:2]).astype(np.float32), 14) for _ in range(3)], axis=-1)
    flat = np.clip(flat + drift / drift.std() * rng.uniform(0.02, 0.08), 0, 1)
    direction = mix_directions(flow(scene, 7), np.full(scene.shape[:2], rng.uniform(0, np.pi)), 0.4)
    work = Canvas(np.clip(flat * 0.4 + 0.55, 0, 1))
    radius = rng.uniform(4, 7)
    work.paint(flat, direction, Brush(radius, 4, 1.2, 0.03, 0.2), rng)
    work.paint(flat, direction, Brush(radius / 2, 5, 1.2, 0.03, 0.2, 0.15), rng)
    picture = relief(work.picture(), blur(work.height(), 0.8), 0.08)
    ink = contours(blur(scene, 1.0), rng.uniform(1.2, 2.2), rng.uniform(4, 9)) * rng.uniform(0.3, 1.0)
    dark = palette.darkest() * rng.uniform(0.6, 1.2)
    return np.clip(picture + (dark - picture) * ink[..., None], 0, 1)


def pastel(scene: Array, palette: Palette, rng: Generator) -> Array:
    """Chalk on toned paper: slanted strokes that leave the tooth of the paper uncovered."""
    shape = scene.shape[:2]
    tone = palette.sample_rgb(rng)
    direction = mix_directions(np.full(shape, rng.uniform(0.3, 2.8)), flow(scene, 5), rng.uniform(0, 0.6))
    work = Canvas(kuwahara(scene, 3))
    radius = rng.uniform(1.2, 2.4)
    for _ in range(2):
        work.paint(scene, direction, Brush(radius, 10, 1.5, rng.uniform(0.02, 0.05), 0.12, 0.0, 0.8), rng)
    streaks = 0.6 * paper(shape, rng, 1.2) + 0.4 * brush_texture(direction, 10, rng)
    cover = sigmoid(3 * (streaks + rng.uniform(0.9, 2.2) + 0.6 * noise(shape, 60, rng)))
    return np.clip(tone + (work.picture() - tone) * cover[..., None], 0, 1).astype(np.float32)
