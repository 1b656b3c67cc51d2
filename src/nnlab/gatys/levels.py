"""The sizes at which a job paints, one after the other. No torch."""

from nnlab.params import JobParams

SMALLEST_COARSE_SIDE = 48
"""Pixels: a coarse level with a smaller side is left out, there is no style to learn from it."""


def plan(content: tuple[int, int], job: JobParams) -> list[tuple[int, int]]:
    """(longer side in pixels, the iteration at which it ends) of the levels; each has half the size of the next.

    `content` is the size of the content picture, whose aspect decides which levels are too small.
    """
    aspect = round(job.size * min(content) / max(content)) / job.size  # as painted: the result's size gives the same
    coarse, end = len(job.coarse_iterations), 0
    levels = []
    for level, iterations in enumerate([*job.coarse_iterations, job.iterations]):
        size = round(job.size / 2 ** (coarse - level))
        if level == coarse or (iterations and size * aspect >= SMALLEST_COARSE_SIDE):
            levels.append((size, end := end + iterations))
    return levels
