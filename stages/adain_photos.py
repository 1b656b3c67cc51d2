"""Draw two photos, the user's or sample photos, in one style."""

from pathlib import Path

from nnlab.adain.figures import choose, note, open_stylizer, save_sheet
from nnlab.adain.weights import LAST
from nnlab.params import Params
from nnlab.stage import script


@script
def main(photos: Path, gallery: Path, pair: Path, trained: Path, figure: Path, params: Params) -> None:
    """Choose two photos and a style, draw them, and write the figure: photo, style, result for both."""
    both, style, notes = choose(params.adain.pictures, "photos_style", photos, gallery, pair)
    decoder = trained / LAST
    stylizer = open_stylizer(decoder, params.hardware)
    rows = [(photo, style, stylizer.stylize(photo, [style])) for photo in both]
    title = "Two photos in one style"
    save_sheet(figure, rows, ["photo", "style", "result"], title, note(decoder, *notes))
