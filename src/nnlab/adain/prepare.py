"""From a fetched image set to the pool that training reads; a run that was killed goes on after its last shard."""

import shutil
import sys
from pathlib import Path

from PIL import Image

from nnlab.data import packing, shards
from nnlab.data.archives import count, pictures
from nnlab.data.imagesets import locate
from nnlab.params import AdainPrepareParams
from nnlab.training.state import resume_dir

# As dvc.yaml has it: a saved state of other code must not go on.
CODE = [
    Path(__file__).parents[1] / f"{name}.py"
    for name in (
        "adain/prepare", "data/archives", "data/images", "data/imagesets", "data/limits", "data/packing",
        "data/parquet", "data/pictures", "data/shards",
    )
]  # fmt: skip


def prepare(fetched: Path, samples: Path, pool: Path, settings: AdainPrepareParams) -> None:
    """Pack the set of `fetched` (see `data.imagesets.locate`) into the folder `pool`, and say what was left out."""
    source, provenance = locate(fetched, samples)
    values = {"short_side": settings.short_side, "quality": settings.quality, "pillow": Image.__version__}
    resumable = source != samples  # the samples take seconds, and no fingerprint tells their changes
    work = resume_dir(f"pack-{pool.name}", [provenance, values], CODE, []) if resumable else None
    summary = packing.pack(
        pictures(source),
        pool,
        settings.short_side,
        quality=settings.quality,
        least=settings.least,
        work=work,
        total=count(source),
        about={"source": "own pictures" if "path" in provenance else provenance["name"]},  # a moved folder is the same
    )
    locate(fetched, samples)  # a network drive may have gone meanwhile, and with it what links led to
    if work:
        shutil.rmtree(work, ignore_errors=True)
    left_out = ", ".join(f"{number} {kind}" for kind, number in summary["left_out"].items()) or "none"
    print(f"{pool}: {summary['images']} pictures; left out: {left_out} (see {pool / shards.LEFT_OUT})", file=sys.stderr)
