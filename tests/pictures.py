"""A gallery for tests: the held-out pictures, of one colour each."""

import csv
from dataclasses import asdict, replace
from pathlib import Path

from PIL import Image

from nnlab.data.gallery import ENTRIES, TABLE


def make_gallery(folder: Path, size: tuple[int, int] = (48, 36)) -> None:
    """Write every held-out picture, of `size` pixels, and the table: "Title of <name>", paintings of 1887."""
    entries = []
    for number, entry in enumerate(entry for entry in ENTRIES if entry.held_out == "yes"):
        path = folder / entry.file
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, (9 * number, 200, 250 - 9 * number)).save(path)
        artist, year = ("Artist", "1887") if entry.artist else ("", "")
        entries.append(replace(entry, title=f"Title of {path.stem}", artist=artist, year=year))
    with (folder / TABLE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(asdict(entries[0])))
        writer.writeheader()
        writer.writerows(map(asdict, entries))
