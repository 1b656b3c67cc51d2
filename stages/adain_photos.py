"""Draw two photos, the user's or sample photos, in one style."""

from pathlib import Path

from nnlab.adain.choice import PAIR, choose_photos, choose_style, style_note
from nnlab.adain.figures import STYLE, notes, open_stylizer, save_sheet
from nnlab.adain.stylize import open_picture
from nnlab.params import Params
from nnlab.stage import script


@script
def main(
    photos: Path, gallery: Path, pair: Path, encoder: Path, decoder: Path, figure: Path,
    params: Params,
) -> None:  # fmt: skip
    """Choose two photos and a style, draw them, and write the figure: photo, style, result for both."""
    pictures = params.adain.pictures
    chosen = choose_photos(photos, pictures.photos, gallery)
    painted = choose_style("photos_style", pictures.photos_style, pair / STYLE, gallery)
    painting = open_picture(painted, pictures.style_size)
    stylizer = open_stylizer(encoder, decoder, params.hardware)
    shown = [open_picture(path, pictures.size) for path in chosen.files]
    rows = [(photo, painting, stylizer.stylize(photo, [painting])) for photo in shown]
    assigned = pair if pictures.photos_style == PAIR else None
    note = notes(assigned, decoder, chosen.note(), style_note(painted, pair / STYLE))
    save_sheet(figure, rows, ["photo", "style", "result"], "Two photos in one style", note)
