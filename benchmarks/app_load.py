"""The page under load: photos that reach `nnlab app` at once, and are all to be drawn. Linux alone tells the memory.

    python benchmarks/app_load.py [--photos 20] [--sizes 512 0]

The photos (4000 x 3000 pixels, smooth noise, JPEG) are drawn in a held-out painting; a size is the shorter side of the
results, 0 the photos' own. Measured are seconds until the last one is there, and the page's peak memory.
"""

import re
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from gradio_client import Client, handle_file
from measure import arguments, here, row, show
from PIL import Image
from run import ROOT

PAINTING = ROOT / "data/raw/pictures/paintings/held_out/composition_viii.png"


def main() -> None:
    """Start a page for each size, send all photos, print."""
    parser = arguments(__doc__)
    parser.add_argument("--photos", type=int, default=20)
    parser.add_argument("--sizes", type=int, nargs="+", default=[512], help="one of 256, 512, 1024 and 0")
    options = parser.parse_args()
    rows, precision = [], here()[1]
    with TemporaryDirectory() as folder:
        photos = [make(Path(folder, f"{number}.jpg"), number) for number in range(options.photos)]
        for size in options.sizes:
            taken, peak = drawn(photos, size, folder)
            what = f"{len(photos)} photos of 12 megapixels at once, drawn at {size or 3000} pixels"
            found = {"s": taken, "peak MiB": peak}
            rows += [row(f"{what}, {unit}", [value], precision=precision) for unit, value in found.items()]
    show(rows)


def make(path: Path, seed: int) -> Path:
    """Write a photo of 12 megapixels; its path."""
    tones = np.random.default_rng(seed).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(tones).resize((4000, 3000), Image.Resampling.BICUBIC).save(path, quality=90)
    return path


def drawn(photos: list[Path], size: int, folder: str) -> tuple[float, float]:
    """Seconds for all photos, and the peak memory of the page in MiB."""
    command = [sys.executable, "-m", "nnlab.cli", "app"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as page:
        try:
            client = Client(page.stdout.readline().split()[0], verbose=False, download_files=folder)
            given = {"first": handle_file(str(PAINTING)), "second": None, "size": size, "api_name": "/stylize"}
            begin = time.perf_counter()
            jobs = [client.submit(photo=handle_file(str(photo)), **given) for photo in photos]
            for job in jobs:
                job.result()
            taken = time.perf_counter() - begin
            status = Path(f"/proc/{page.pid}/status").read_text(encoding="utf-8")
            return taken, int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) / 1024
        finally:
            page.terminate()


if __name__ == "__main__":
    main()
