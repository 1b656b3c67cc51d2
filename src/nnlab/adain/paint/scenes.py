"""What is painted: crops of the sample photos, and simple invented scenes that give other compositions."""

from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import Image
from scipy import ndimage

from nnlab.adain.paint.colour import Array
from nnlab.adain.paint.fields import blur, luma, noise, sigmoid, warp
from nnlab.data.images import list_images, read_image, resize_shorter

# Photos that are mostly texture: they fill surfaces in invented scenes and are seldom the subject themselves.
TEXTURES = {"brick", "coins", "grass", "gravel", "hubble_deep_field", "ihc", "moon", "retina"}
ASPECTS = (0.75, 0.8, 1.0, 1.0, 1.25, 1.33)  # height : width


class Album:
    """The photos in memory; `scene(size, rng)` draws one reference picture."""

    def __init__(self, folder: Path) -> None:
        self._photos: dict[str, Array] = {}
        for path in list_images(folder):
            image = read_image(path)
            image.thumbnail((640, 640))
            self._photos[path.stem] = np.asarray(image, dtype=np.float32) / 255
        self._subjects = sorted(set(self._photos) - TEXTURES) or sorted(self._photos)
        self._textures = sorted(set(self._photos) & TEXTURES) or self._subjects

    def whole(self, name: str, size: int) -> Array:
        """The named photo as it is, its shorter side `size` pixels."""
        photo = Image.fromarray((self._photos[name] * 255).astype(np.uint8))
        return np.asarray(resize_shorter(photo, size), dtype=np.float32) / 255

    def scene(self, size: int, rng: Generator) -> Array:
        """A picture (H, W, 3) whose shorter side has `size` pixels."""
        aspect = rng.choice(ASPECTS)
        shape = (round(size * max(aspect, 1.0)), round(size * max(1 / aspect, 1.0)))
        kind = rng.random()
        if kind < 0.55:
            return self.crop(self._subjects, shape, rng)
        if kind < 0.58:
            return self.crop(self._textures, shape, rng)
        if kind < 0.80:
            return self._collage(shape, rng)
        return self._landscape(shape, rng) if kind < 0.91 else self._still_life(shape, rng)

    def crop(self, names: list[str], shape: tuple[int, int], rng: Generator) -> Array:
        """A random part of one of the named photos: zoomed, mirrored, slightly turned and bent."""
        photo = self._photos[names[rng.integers(len(names))]]
        if rng.random() < 0.5:
            photo = photo[:, ::-1]
        room = min(photo.shape[0] / shape[0], photo.shape[1] / shape[1])  # photo pixels per pixel, at most
        zoom = room * rng.uniform(0.4, 1.0) ** 0.5
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        y, x = y - shape[0] / 2, x - shape[1] / 2
        turn = rng.normal(scale=0.06)
        bend = noise(shape, max(shape) / 2, rng) * min(shape) * 0.02
        y, x = y * np.cos(turn) + x * np.sin(turn) + bend, x * np.cos(turn) - y * np.sin(turn) - bend
        top = rng.uniform(0, max(photo.shape[0] - shape[0] * zoom, 0)) + shape[0] * zoom / 2
        left = rng.uniform(0, max(photo.shape[1] - shape[1] * zoom, 0)) + shape[1] * zoom / 2
        photo = blur(photo, 0.4 * zoom) if zoom > 1.2 else photo
        where = [top + y * zoom, left + x * zoom]
        channels = [ndimage.map_coordinates(photo[..., c], where, order=1, mode="reflect") for c in range(3)]
        return np.clip(np.stack(channels, axis=-1), 0, 1)

    def _texture(self, shape: tuple[int, int], rng: Generator) -> Array:
        """Brightness of a texture (H, W), zero mean."""
        bright = luma(self.crop(self._textures, shape, rng))
        return bright - bright.mean()

    def _collage(self, shape: tuple[int, int], rng: Generator) -> Array:
        """Two to four photos that meet along wavy borders, soft or hard: many things in one picture."""
        picture = self.crop(self._subjects, shape, rng)
        for _ in range(int(rng.integers(1, 4))):
            edge = sigmoid(rng.uniform(5, 40) * (noise(shape, min(shape) / 1.8, rng) - 0.3))
            picture = picture + (self.crop(self._subjects, shape, rng) - picture) * edge[..., None]
        return picture

    def _landscape(self, shape: tuple[int, int], rng: Generator) -> Array:
        """Sky with clouds, ridges that grow darker and rougher towards the viewer, trees."""
        height, width = shape
        y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
        clouds = noise(shape, width / 3, rng, octaves=4)
        sky, low = np.array([0.45, 0.6, 0.85]), np.array([0.95, 0.85, 0.75])
        picture = sky + (low - sky) * np.clip(y * 1.6, 0, 1)[..., None] + 0.1 * np.maximum(clouds, 0)[..., None]
        horizon = rng.uniform(0.3, 0.6)
        ridges = int(rng.integers(2, 6))
        for index in range(ridges):
            near = (index + 1) / ridges
            level = horizon + (0.95 - horizon) * index / ridges
            profile = noise((1, width), width / rng.uniform(1, 4), rng, octaves=5)[0] * 0.05 * (1.3 - near) * 2
            trees = np.maximum(noise((1, width), width / 12, rng, octaves=4)[0], 0) * 0.10 * rng.integers(0, 2) * near
            ground = y > level + profile - trees
            tint = rng.uniform(0.25, 0.7) * np.array(
                [rng.uniform(0.6, 1.1), rng.uniform(0.8, 1.1), rng.uniform(0.4, 1)]
            )
            rough = self._texture(shape, rng) * 0.6 * near + noise(shape, width / 8, rng, octaves=4) * 0.08
            tint = tint + (low - tint) * 0.5 * (1 - near)
            picture = np.where(ground[..., None], tint + rough[..., None], picture)
        return np.clip(picture, 0, 1).astype(np.float32)

    def _still_life(self, shape: tuple[int, int], rng: Generator) -> Array:
        """Round things on a table, lit from one side, before a wall."""
        height, width = shape
        y, x = np.mgrid[:height, :width].astype(np.float32) / min(shape)
        edge = y.max() * rng.uniform(0.5, 0.7)
        wall, table = rng.uniform(0.15, 0.9, 3), rng.uniform(0.2, 0.8, 3)
        picture = (
            np.where((y > edge)[..., None], table, wall) + 0.08 * noise(shape, width / 2, rng, octaves=4)[..., None]
        )
        picture += self._texture(shape, rng)[..., None] * 0.25
        light = rng.uniform(-0.8, 0.8)
        for foot in np.sort(rng.uniform(edge, y.max() * 0.95, int(rng.integers(3, 8)))):
            rx, ry = rng.uniform(0.07, 0.22) * np.array([1, rng.uniform(0.7, 1.6)])
            cx, cy = rng.uniform(0.1, x.max() - 0.1), foot - ry
            u, v = (x - cx) / rx, (y - cy) / ry
            shadow = np.exp(-(((x - cx - light * rx) / rx) ** 2 + ((y - foot) / (0.35 * ry)) ** 2))
            picture *= 1 - 0.5 * shadow[..., None]
            power = rng.uniform(1.6, 3.5)
            inside = np.abs(u) ** power + np.abs(v) ** power < 1
            shade = 0.35 + 0.75 * np.clip(1 - np.hypot(u + light * 0.5, v + 0.4), 0, 1)
            body = rng.uniform(0.2, 1.0, 3) * shade[..., None] + self._texture(shape, rng)[..., None] * 0.2
            picture = np.where(inside[..., None], body, picture)
        return np.clip(picture, 0, 1).astype(np.float32)


def bent(picture: Array, amount: float, wavelength: float, rng: Generator) -> Array:
    """Bend a picture by `amount` pixels (deviation)."""
    shape = picture.shape[:2]
    return warp(picture, noise(shape, wavelength, rng) * amount, noise(shape, wavelength, rng) * amount)
