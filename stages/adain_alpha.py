"""Draw one photo in one style at every strength in `adain.alpha`."""

from pathlib import Path

from nnlab.stage import run

STEPS = [step / 10 for step in range(11)]  # what the web report's slider shows, beside adain.alpha


def main(
    photos: Path, gallery: Path, pair: Path, encoder: Path, decoder: Path, figure: Path, results: Path,
    params: Path = Path("params.yaml"),
) -> None:  # fmt: skip
    """Draw the first photo for each alpha; write the row and, into `results`, every picture of it."""
    from nnlab.adain.choice import PAIR, choose_photos, choose_style, style_note
    from nnlab.adain.pictures import STYLE, notes, open_picture, open_stylizer
    from nnlab.adain.sheets import alpha_sheet
    from nnlab.data.images import save_image
    from nnlab.figures import save_figure, style
    from nnlab.files import atomic_dir
    from nnlab.params import load_params

    loaded = load_params(params)
    hardware, pictures, alphas = loaded.hardware, loaded.adain.pictures, loaded.adain.alpha
    chosen = choose_photos(photos, pictures.photos, gallery)
    photo = open_picture(chosen.files[0], pictures.size)
    painted = choose_style("alpha_style", pictures.alpha_style, pair / STYLE, gallery)
    painting = open_picture(painted, pictures.style_size)
    stylizer = open_stylizer(encoder, decoder, hardware.device, hardware.precision)
    content, statistics = stylizer.content(photo), [stylizer.statistics(painting)]
    drawn = {alpha: stylizer.paint(content, statistics, alpha=alpha) for alpha in sorted({*STEPS, *alphas})}

    with style():
        note = notes(
            pair if pictures.alpha_style == PAIR else None, decoder, chosen.note(1), style_note(painted, pair / STYLE)
        )
        save_figure(alpha_sheet(photo, painting, [(alpha, drawn[alpha]) for alpha in alphas], note), figure)
    with atomic_dir(results) as folder:
        for name, picture in {"content": photo, "style": painting}.items():
            save_image(picture, folder / f"{name}.png")
        for alpha, picture in drawn.items():
            save_image(picture, folder / f"alpha_{_number(alpha)}.png")


def _number(alpha: float) -> str:
    """Two decimals (0.30), and more where they are not all: no two strengths share a name."""
    short = f"{alpha:.2f}"
    return short if float(short) == alpha else str(alpha)


if __name__ == "__main__":
    run(main)
