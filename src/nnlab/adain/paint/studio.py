"""The studio: every picture of the generated art, planned by the seed and painted by several processes."""

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import Image
from threadpoolctl import threadpool_limits

from nnlab.adain.paint import strokes, tiles, washes
from nnlab.adain.paint.colour import Array, Palette, colourise, match_bands, palettes, recolour
from nnlab.adain.paint.fields import blur, noise
from nnlab.adain.paint.scenes import Album
from nnlab.files import sha256

Paint = Callable[[Array, Palette, Generator], Array]


@dataclass(frozen=True)
class Manner:
    """A way of painting, how many shares of the pictures it gets, and what palettes it likes.

    taste is added up from "pale", "dark", "grey", "vivid"; bands is the strength of `match_bands`.
    """

    paint: Paint
    share: int = 2
    taste: str = ""
    bands: float = 1.0


MANNERS: dict[str, Manner] = {
    "oil": Manner(strokes.oil, 6),
    "classical": Manner(strokes.classical, 6, "dark"),
    "impressionist": Manner(strokes.impressionist, 5),
    "swirling": Manner(strokes.swirling, 3, "vivid"),
    "pointillist": Manner(strokes.pointillist, 2, "vivid"),
    "knife": Manner(strokes.knife, 3),
    "fauve": Manner(strokes.fauve, 3, "vivid"),
    "pastel": Manner(strokes.pastel, 2),
    "watercolour": Manner(washes.watercolour, 3, "pale"),
    "ink_wash": Manner(washes.ink_wash, 1, "pale grey", 0.4),
    "gouache": Manner(washes.gouache, 3),
    "woodblock": Manner(washes.woodblock, 2, "pale", 0.4),
    "engraving": Manner(washes.engraving, 1, "pale grey", 0.2),
    "sketch": Manner(washes.sketch, 2, "pale grey", 0.4),
    "woodcut": Manner(washes.woodcut, 2, "", 0.3),
    "mosaic": Manner(tiles.mosaic, 1, "", 0.4),
    "stained_glass": Manner(tiles.stained_glass, 1, "vivid", 0.3),
    "facets": Manner(tiles.facets, 3, "", 0.6),
    "marbled": Manner(tiles.marbled, 1, "", 0.5),
    "ornament": Manner(tiles.ornament, 1, "", 0.5),
    "geometric": Manner(tiles.geometric, 1, "vivid", 0.5),
}

# The first picture of this manner is this portrait in this palette whatever the seed: it stands in for Matisse's Woman
# with a Hat where that cannot be fetched.
SITTER = ("fauve", "grace_hopper", 316)

CANDIDATES = 8  # palettes that a manner may choose among


@dataclass(frozen=True)
class Job:
    """One picture: its number, the manner's name, the number of its palette, and the photo if that is fixed."""

    index: int
    manner: str
    palette: int
    photo: str = ""

    @property
    def file(self) -> str:
        """Name of the picture's file."""
        return f"{self.manner}_{self.index:04d}.jpg"


def plan(pictures: int, seed: int) -> list[Job]:
    """Spread manners by their shares and palettes evenly, so that few pictures have all that fit in."""
    rng = np.random.default_rng([seed, 0])
    names = _spread({name: manner.share for name, manner in MANNERS.items()}, pictures)
    pool: list[int] = []
    jobs = []
    for index, name in enumerate(names):
        if len(pool) < CANDIDATES:
            pool += rng.permutation(len(palettes())).tolist()
        candidates = pool[:CANDIDATES]
        best = max(candidates, key=lambda k: _liking(palettes()[k], MANNERS[name].taste))
        pool.remove(best)
        jobs.append(Job(index, name, best))
    first = next((job for job in jobs if job.manner == SITTER[0]), None)
    if first:
        jobs[first.index] = replace(first, photo=SITTER[1], palette=SITTER[2])
    return jobs


def _spread(shares: dict[str, int], count: int) -> list[str]:
    """`count` names, each as often as its share asks, mixed: every name comes once before any comes twice."""
    given = dict.fromkeys(shares, 0)
    names = []
    for _ in range(count):
        name = min(shares, key=lambda name: (given[name] > 0, given[name] / shares[name]))
        given[name] += 1
        names.append(name)
    return names


def _liking(palette: Palette, taste: str) -> float:
    """How well a palette suits: lightness for pale and dark, chroma for grey and vivid."""
    light = float(palette.weights @ palette.colours[:, 0]) / 20
    chroma = float(palette.weights @ np.hypot(palette.colours[:, 1], palette.colours[:, 2])) / 10
    likes = {"pale": light, "dark": -light, "vivid": chroma, "grey": -chroma}
    return sum(likes[word] for word in taste.split())


def paint(job: Job, album: Album, size: int, seed: int) -> Array:
    """Paint one picture: scene, colours of a real painting, manner, then its colours and contrast once more."""
    rng = np.random.default_rng([seed, 1, job.index])
    manner, palette = MANNERS[job.manner], palettes()[job.palette]
    scene = album.whole(job.photo, size) if job.photo else album.scene(size, rng)
    hues = np.stack([noise(scene.shape[:2], size / 3, rng) for _ in range(2)], axis=-1)
    scene = recolour(colourise(scene, rng, hues), palette, rng)
    picture = manner.paint(scene, palette, rng).astype(np.float32)
    picture = recolour(picture, palette, rng, iterations=4, strength=0.7)
    return match_bands(blur(picture, rng.uniform(0.0, 0.7)), palette, manner.bands)


_album: Album | None = None


def _open_album(photos: Path) -> None:
    global _album
    threading.Thread(target=_end_with_parent, daemon=True).start()
    threadpool_limits(1)  # one process per core does it; threads inside would only wait for each other
    _album = Album(photos)


def _end_with_parent() -> None:
    """End this worker when the process that started it does: one whose parent was killed waits for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _work(arguments: tuple[Job, Path, int, int]) -> str:
    job, folder, size, seed = arguments
    assert _album is not None
    picture = paint(job, _album, size, seed)
    pixels = Image.fromarray((picture * 255).round().astype(np.uint8))
    pixels.save(folder / job.file, quality=90)
    return job.file


def paint_all(
    photos: Path, folder: Path, pictures: int, size: int, seed: int, done: Callable[[], None]
) -> dict[str, str]:
    """Paint `pictures` JPEG files of `size` pixels on the shorter side into `folder`; {file: SHA-256}.

    `done` is called after every picture. The files do not depend on the number of processes. UserError if a photo is
    missing or cannot be read.
    """
    Album(photos)  # read here once, too: an error at the start of a worker would only say that the pool is broken
    jobs = [(job, folder, size, seed) for job in plan(pictures, seed)]
    processes = min(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, len(jobs)
    )
    names = []
    with ProcessPoolExecutor(processes, initializer=_open_album, initargs=(photos,)) as pool:
        for name in pool.map(_work, jobs, chunksize=4):
            names.append(name)
            done()
    return {name: sha256(folder / name) for name in sorted(names)}
