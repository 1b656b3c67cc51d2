"""Manners of wet paint, ink and print: watercolour, ink wash, gouache, colour woodblock, engraving, sketch, woodcut."""

import numpy as np
from numpy.random import Generator

from nnlab.adain.paint.colour import Array, Palette, to_lab, to_rgb
from nnlab.adain.paint.fields import blur, brush_texture, flow, luma, mix_directions, noise, paper, sigmoid
from nnlab.adain.paint.filters import contours, edge_strength, kuwahara
from nnlab.adain.paint.scenes import bent


def _sheet(palette: Palette, rng: Generator) -> Array:
    """Colour of the paper (3,): the palette's lightest, somewhat bleached."""
    return palette.lightest() + (np.float32(1) - palette.lightest()) * np.float32(rng.uniform(0, 0.6))


def watercolour(scene: Array, palette: Palette, rng: Generator) -> Array:
    """Transparent washes with dark rims, granulating pigment and blooms, on white paper (Bousseau et al. 2006)."""
    shape = scene.shape[:2]
    flat = bent(kuwahara(kuwahara(scene, 5), 3), 2.0, 12, rng)
    rims = edge_strength(flat, 1.0)
    density = 1 + 0.25 * noise(shape, 70, rng, octaves=4) + 0.10 * paper(shape, rng) + rng.uniform(0.3, 0.9) * rims
    density *= rng.uniform(0.5, 0.9)
    sheet = _sheet(palette, rng)
    picture = sheet * np.clip(flat / sheet, 0.02, 1) ** np.clip(density, 0.05, 3)[..., None]  # Beer-Lambert
    dry = sigmoid(noise(shape, 50, rng, octaves=4) * 3 + rng.uniform(2, 8))
    return np.clip(sheet + (picture - sheet) * dry[..., None], 0, 1)


def ink_wash(scene: Array, palette: Palette, rng: Generator) -> Array:
    """One ink, many dilutions, broad wet brush, empty paper in the lights: sumi-e."""
    shape = scene.shape[:2]
    bright = luma(bent(kuwahara(scene, 4), 1.5, 10, rng))
    bright = (bright - np.quantile(bright, 0.05)) / max(
        float(np.quantile(bright, 0.9) - np.quantile(bright, 0.05)), 1e-3
    )
    depth = np.clip(1.1 - bright, 0, 1) ** rng.uniform(0.9, 1.8)
    depth = np.round(depth * 4 + 0.25 * noise(shape, 20, rng)) / 4 * 0.6 + depth * 0.4
    depth = blur(depth, 1.2) * (1 + 0.12 * noise(shape, 40, rng, octaves=4))
    streaks = brush_texture(flow(scene, 5), 20, rng)
    lines = contours(blur(scene, 1), rng.uniform(1.0, 2.0), 9) * (0.7 + 0.3 * np.tanh(streaks))
    amount = np.clip(depth * 0.8 + 0.04 * streaks * depth + lines * 0.8, 0, 1)[..., None]
    sheet = _sheet(palette, rng) * (1 + 0.015 * paper(shape, rng))[..., None]
    return np.clip(sheet + (palette.darkest() * 0.7 - sheet) * amount, 0, 1)


def gouache(scene: Array, palette: Palette, rng: Generator) -> Array:
    """Opaque, matt, softly edged areas: posters and murals."""
    picture = scene
    for radius in rng.choice([3, 4, 5, 6], size=2):
        picture = kuwahara(picture, int(radius))
    direction = mix_directions(flow(scene, 6), np.zeros(scene.shape[:2], dtype=np.float32), 0.3)
    streaks = brush_texture(direction, 16, rng) * rng.uniform(0.005, 0.03)
    mottle = 0.015 * noise(scene.shape[:2], 25, rng, octaves=4)
    return np.clip(picture + (streaks + mottle)[..., None], 0, 1)


def woodblock(scene: Array, palette: Palette, rng: Generator) -> Array:
    """Few flat colours, dark flowing outlines, a band of graded colour at the top: ukiyo-e."""
    shape = scene.shape[:2]
    flat = to_lab(bent(kuwahara(kuwahara(scene, 5), 3), 1.5, 16, rng))
    count = int(rng.integers(5, 10))
    colours = palette.colours[np.argsort(-palette.weights)[:count]]
    distance = ((flat[:, :, None] - colours) ** 2 * np.array([1.0, 0.6, 0.6])).sum(axis=-1)
    picture = blur(to_rgb(colours[distance.argmin(axis=2)]), 0.7)
    sky = np.clip(1 - np.linspace(0, rng.uniform(3, 8), shape[0], dtype=np.float32), 0, 1)[:, None, None]
    picture = picture * (1 - 0.6 * sky * rng.integers(0, 2)) + palette.darkest() * 0.0
    sheet = _sheet(palette, rng)
    fibre = brush_texture(np.full(shape, rng.uniform(-0.2, 0.2), dtype=np.float32), 20, rng)
    picture = picture + (sheet - picture) * np.clip(0.10 + 0.05 * fibre + 0.04 * paper(shape, rng), 0, 0.4)[..., None]
    ink = contours(blur(scene, 1.2), rng.uniform(1.2, 1.8), rng.uniform(6, 12))
    return np.clip(picture + (palette.darkest() * 0.6 - picture) * ink[..., None], 0, 1)


def _hatch(shape: tuple[int, int], angle: float, pitch: float, bulge: Array) -> Array:
    """Parallel lines: 0 in the middle of a line, 1 half-way to the next; `bulge` (H, W) bends them, in pixels."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    phase = (x * np.cos(angle) + y * np.sin(angle) + bulge) / pitch
    return np.abs(2 * (phase - np.floor(phase)) - 1)


def engraving(scene: Array, palette: Palette, rng: Generator) -> Array:
    """Swelling lines in up to three crossed layers, ink on paper; sometimes tinted by hand."""
    shape = scene.shape[:2]
    bright = luma(scene)
    low, high = np.quantile(bright, 0.03), np.quantile(bright, 0.97)
    dark = 1 - np.clip((bright - low) / max(float(high - low), 1e-3), 0, 1)
    bulge = blur(bright, 3) * rng.uniform(0, 14) + noise(shape, 40, rng) * 1.5
    pitch, angle = rng.uniform(2.6, 5.0), rng.uniform(0, np.pi)
    ink = np.zeros(shape, dtype=np.float32)
    for layer, floor in enumerate((0.10, 0.45, 0.7)):
        width = np.clip((dark - floor) / (1 - floor), 0, 1) * 0.9
        lines = _hatch(shape, angle + layer * rng.uniform(0.6, 1.3), pitch, bulge)
        ink = np.maximum(ink, np.clip((width - lines) * pitch / 1.2 + 0.3, 0, 1) * (width > 0.02))
    ink = np.maximum(ink, contours(scene, 1.0, 8) * 0.8)
    sheet = _sheet(palette, rng) * (1 + 0.02 * paper(shape, rng))[..., None]
    tinted = sheet + (kuwahara(scene, 4) - sheet) * rng.choice([0.0, 0.0, 0.4])
    return np.clip(tinted + (palette.darkest() * 0.7 - tinted) * (ink * rng.uniform(0.7, 1.0))[..., None], 0, 1)


def sketch(scene: Array, palette: Palette, rng: Generator) -> Array:
    """Chalk, charcoal or sanguine: searching contours and loose hatching on paper."""
    shape = scene.shape[:2]
    tooth = paper(shape, rng, rng.uniform(0.7, 1.6))
    lines = sum(contours(bent(blur(scene, 0.7), 1.5, 40, rng), rng.uniform(0.9, 2.0), 7) for _ in range(2)) * 0.6
    direction = np.full(shape, rng.uniform(0.4, 2.6), dtype=np.float32) + 0.3 * noise(shape, 80, rng)
    shading = np.clip(rng.uniform(0.75, 1.0) - blur(luma(scene), 1.5) / max(float(luma(scene).max()), 0.1), 0, 1)
    strokes = sigmoid(2.5 * brush_texture(direction, 22, rng))
    amount = np.clip(lines + shading * strokes * rng.uniform(0.6, 1.2), 0, 1)
    amount *= sigmoid(2.0 * (tooth + 0.9))
    sheet = _sheet(palette, rng) * rng.uniform(0.8, 1.0) * (1 + 0.02 * tooth)[..., None]
    dark = palette.darkest() * rng.uniform(0.8, 1.4)
    return np.clip(sheet + (dark - sheet) * amount[..., None], 0, 1)


def woodcut(scene: Array, palette: Palette, rng: Generator) -> Array:
    """Black shapes cut with a gouge, with one or two flat colours behind: expressionist prints."""
    bright = luma(kuwahara(scene, 4))
    local = bright - blur(bright, 24) * 0.6
    cut = brush_texture(flow(scene, 6), 14, rng)
    level = np.quantile(local, rng.uniform(0.35, 0.6))
    ink = sigmoid((level - local) / max(float(local.std()), 1e-3) * 8 + cut * 1.6)
    order = np.argsort(palette.colours[:, 0])
    back = to_rgb(palette.colours[order[[6, 10, 15]]][None])[0]
    steps = np.digitize(bright, np.quantile(bright, [0.4, 0.75]))
    picture = blur(back[steps], 0.6)
    return np.clip(picture + (palette.darkest() * 0.7 - picture) * blur(ink, 0.5)[..., None], 0, 1)
