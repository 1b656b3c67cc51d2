"""The assignment's pair of pictures, or named stand-ins where GitHub cannot be reached."""

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from nnlab.data.catalog import PROVENANCE, Asset, fetch, noted, read_provenance, write_provenance
from nnlab.data.download import Source, download
from nnlab.data.gallery import caption, find_picture
from nnlab.data.images import list_files, read_image, save_image
from nnlab.errors import UserError
from nnlab.files import sha256

_INPUT = "https://raw.githubusercontent.com/naoto0804/pytorch-AdaIN/master/input"
CONTENT, STYLE = "content.jpg", "style.jpg"
ORIGINALS = {CONTENT: "content/cornell.jpg", STYLE: "style/woman_with_hat_matisse.jpg"}
STAND_INS = {CONTENT: "germany_schwerinPalace", STYLE: "portrait_of_pere_tanguy"}  # a palace, a portrait with a hat

PAIR = Asset(
    name="pair",
    note="the assignment's pair: Cornell chapel photo (content) and Matisse, Woman with a Hat (style)",
    files={
        CONTENT: "ee78ed68142dacdff8ee474ff6d15a1ae008f67bea6d541e6be240f3a4547091",
        STYLE: "6a8b2383d9c110354a97a42c74bdcc5341be879cbb842ddb7ab5843dbdf56d53",
    },
    sources=[Source(_INPUT, lambda name, path: download(f"{_INPUT}/{ORIGINALS[name]}", path))],
)


def fetch_pair(pictures: Path, folder: Path, mirror: str = "") -> None:
    """Bring content.jpg and style.jpg into `folder`, where the originals may lie under their own names.

    Another picture that was put there by hand is used, and `provenance.json` says so. If not all can be fetched, what
    does not lie there is replaced by held-out pictures of the gallery `pictures`; `provenance.json` then has `stand_in`
    true and a note on them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, original in ORIGINALS.items():
        if (own := folder / Path(original).name).is_file():
            own.replace(folder / name)
    if others := [path.name for path in list_files(folder) if path.name not in (*ORIGINALS, PROVENANCE)]:
        expected = " and ".join(ORIGINALS)
        raise UserError(f"{folder}: has {', '.join(others)}; the pair is {expected}: convert, rename or move them")
    by_hand = _own_pictures(folder)
    note = f"the user's own {' and '.join(by_hand)}" if by_hand else PAIR.note
    asset = replace(PAIR, files=PAIR.files | by_hand, note=note, details={"own": list(by_hand)})
    try:
        fetch(asset, folder, mirror)
    except UserError as error:
        _stand_in(pictures, folder, asset, str(error))


def stand_ins(pair: Path, used: Iterable[str] = STAND_INS) -> str:
    """What stands in for those of the pair's pictures that are `used`; "" if nothing does."""
    replaced = read_provenance(pair / PROVENANCE).get("replaced", {})
    return _note([replaced[name] for name in used if name in replaced])


def _note(replaced: Iterable[str]) -> str:
    told = " and ".join(replaced)
    return told and f"STAND-IN: {told}, because the assignment's pair could not be fetched"


def _own_pictures(folder: Path) -> dict[str, str]:
    """SHA-256 by name of what the user put into `folder`: neither the assignment's pictures nor earlier stand-ins."""
    ours = set(PAIR.files.values())
    record = noted(folder)
    ours |= {digest for name, digest in record.get("files", {}).items() if name not in record.get("own", ())}
    found = {name: sha256(folder / name) for name in ORIGINALS if (folder / name).is_file()}
    return {name: digest for name, digest in found.items() if digest not in ours}


def _stand_in(pictures: Path, folder: Path, asset: Asset, reason: str) -> None:
    """Put pictures of the gallery in the place of those that are missing, and say so."""
    replaced = {}
    for name, original in ORIGINALS.items():
        if not (folder / name).is_file() or sha256(folder / name) != asset.files[name]:
            picture = find_picture(pictures, STAND_INS[name])
            save_image(read_image(picture), folder / name)
            replaced[name] = f"{caption(picture)} in the place of {Path(original).name}"
    note = _note(replaced.values()) + (f"; {asset.note}" if asset.details["own"] else "")
    files = {name: sha256(folder / name) for name in ORIGINALS}
    write_provenance(folder, asset.name, note, stand_in=True, files=files, replaced=replaced, **asset.details)
    advice = "Once it can be reached, run `dvc repro -f -s fetch_pair` and `dvc repro`"
    print(f"\n  *** {note}. ***\n  {reason}\n  {advice}.\n", file=sys.stderr, flush=True)
