"""Collect the sample photos that installed packages carry."""

from nnlab.data.samples import fetch_samples
from nnlab.stage import run

if __name__ == "__main__":
    run(fetch_samples)
