"""A gallery for tests: the held-out pictures, of one colour each."""

import csv
from dataclasses import asdict
from pathlib import Path

from PIL import Image

from nnlab.data.gallery import HELD_OUT_PAINTINGS, HELD_OUT_PHOTOS, TABLE, Entry


def make_gallery(folder: Path, size: tuple[int, int] = (48, 36)) -> None:
    """Write every held-out picture, of `size` pixels, and the table: "Title of <name>", paintings of 1887."""
    names = [*(f"paintings/held_out/{name}.png" for name in sorted(HELD_OUT_PAINTINGS))]
    names += [f"photos/held_out/{name}.webp" for name in sorted(HELD_OUT_PHOTOS)]
    entries = []
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, (9 * number, 200, 250 - 9 * number)).save(folder / name)
        artist, year = ("Artist", "1887") if name.startswith("paintings") else ("", "")
        entries.append(Entry(name, "yes", f"Title of {Path(name).stem}", artist, year, "", "", "", ""))
    with (folder / TABLE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(asdict(entries[0])))
        writer.writeheader()
        writer.writerows(map(asdict, entries))
