"""Draw two photos, the user's or sample photos, in one style."""

from pathlib import Path

from nnlab.adain.figures import choose, note, open_stylizer, save_sheet
from nnlab.params import load_params
from nnlab.stage import run


def main(
    photos: Path, gallery: Path, pair: Path, encoder: Path, decoder: Path, figure: Path,
    params: Path = Path("params.yaml"),
) -> None:  # fmt: skip
    """Choose two photos and a style, draw them, and write the figure: photo, style, result for both."""
    loaded = load_params(params)
    chosen = choose(loaded.adain.pictures, "photos_style", photos, gallery, pair)
    stylizer = open_stylizer(encoder, decoder, loaded.hardware)
    rows = [(photo, chosen.style, stylizer.stylize(photo, [chosen.style])) for photo in chosen.photos]
    title = "Two photos in one style"
    save_sheet(figure, rows, ["photo", "style", "result"], title, note(decoder, *chosen.notes))


if __name__ == "__main__":
    run(main)
