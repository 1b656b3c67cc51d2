"""Draw two photos, the user's or sample photos, in one style."""

from pathlib import Path

from nnlab.stage import run


def main(
    photos: Path, gallery: Path, pair: Path, encoder: Path, decoder: Path, figure: Path,
    params: Path = Path("params.yaml"),
) -> None:  # fmt: skip
    """Choose two photos and a style, draw them, and write the figure: photo, style, result for both."""
    from nnlab.adain.choice import PAIR, choose_photos, choose_style, style_note
    from nnlab.adain.pictures import STYLE, notes, open_picture, open_stylizer
    from nnlab.adain.sheets import photos_sheet
    from nnlab.figures import save_figure, style
    from nnlab.params import load_params

    loaded = load_params(params)
    hardware, pictures = loaded.hardware, loaded.adain.pictures
    chosen = choose_photos(photos, pictures.photos, gallery)
    painted = choose_style("photos_style", pictures.photos_style, pair / STYLE, gallery)
    painting = open_picture(painted, pictures.style_size)
    stylizer = open_stylizer(encoder, decoder, hardware.device, hardware.precision)
    rows = []
    for path in chosen.files:
        photo = open_picture(path, pictures.size)
        rows.append((photo, painting, stylizer.stylize(photo, [painting])))

    with style():
        note = notes(
            pair if pictures.photos_style == PAIR else None, decoder, chosen.note(), style_note(painted, pair / STYLE)
        )
        save_figure(photos_sheet(rows, note), figure)


if __name__ == "__main__":
    run(main)
