"""From a fetched image set to the pool that training reads; a run that was killed goes on after its last shard."""

import hashlib
import json
import shutil
import sys
from pathlib import Path

from PIL import Image

from nnlab import packing, pictures, shards
from nnlab.adain.params import AdainPrepareParams
from nnlab.archives import count
from nnlab.archives import pictures as pictures_of
from nnlab.imagesets import locate

RESUME = Path(".resume")


def prepare(fetched: Path, samples: Path, pool: Path, settings: AdainPrepareParams) -> None:
    """Pack the set of `fetched` (see `nnlab.imagesets.locate`) into the folder `pool`, and say what was left out."""
    source = locate(fetched, samples)
    provenance = json.loads((fetched / "provenance.json").read_text(encoding="utf-8"))
    values = {"short_side": settings.short_side, "quality": settings.quality}
    resumable = source != samples  # the samples take seconds, and no fingerprint tells their changes
    work = _work_folder(pool.name, [provenance, values]) if resumable else None
    summary = packing.pack(
        pictures_of(source),
        pool,
        settings.short_side,
        quality=settings.quality,
        least=settings.least,
        work=work,
        total=count(source),
        about={"source": provenance["name"]},
    )
    if work:
        shutil.rmtree(work, ignore_errors=True)
    left_out = ", ".join(f"{number} {kind}" for kind, number in summary["left_out"].items()) or "none"
    print(f"{pool}: {summary['images']} pictures; left out: {left_out} (see {pool / shards.LEFT_OUT})", file=sys.stderr)


def _work_folder(name: str, settings: object) -> Path:
    """`.resume/pack-<name>-<hash of settings, code and Pillow>`; folders of other hashes can never be used again."""
    state = hashlib.sha256(json.dumps([settings, Image.__version__], sort_keys=True).encode())
    for module in (packing, pictures, shards):
        state.update(Path(module.__file__ or "").read_bytes())
    folder = RESUME / f"pack-{name}-{state.hexdigest()[:16]}"
    for stale in RESUME.glob(f"pack-{name}-*"):
        if stale != folder:
            shutil.rmtree(stale, ignore_errors=True)
    return folder
