"""Pack the pictures of an image set once: resized, JPEG, damaged and double ones left out, into shards."""

from pathlib import Path

from nnlab.stage import run


def main(fetched: Path, samples: Path, pool: Path, params: Path = Path("params.yaml")) -> None:
    """Pack the set that lies in `fetched`, or in `samples` where the sample is asked for, into `pool`."""
    from nnlab.adain.prepare import prepare
    from nnlab.params import load_params

    prepare(fetched, samples, pool, load_params(params).adain.prepare)


if __name__ == "__main__":
    run(main)
