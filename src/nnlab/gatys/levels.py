"""The sizes at which a job paints, one after the other. No torch."""

from itertools import accumulate

from nnlab.params import JobParams


def plan(job: JobParams) -> list[tuple[int, int]]:
    """(longer side in pixels, the iteration at which it ends) of the levels; each has half the size of the next."""
    counts = [*job.coarse_iterations, job.iterations]
    sizes = [round(job.size / 2**halvings) for halvings in reversed(range(len(counts)))]
    return [(size, end) for size, end, count in zip(sizes, accumulate(counts), counts) if count]
