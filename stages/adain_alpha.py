"""Draw one photo in one style at every strength in `adain.alpha`."""

from pathlib import Path

from nnlab.adain.choice import PAIR, choose_photos, choose_style, style_note
from nnlab.adain.figures import STYLE, notes, open_stylizer, save_pictures, save_sheet
from nnlab.adain.stylize import open_picture
from nnlab.params import Params
from nnlab.stage import script

STEPS = [step / 10 for step in range(11)]  # what the web report's slider shows, beside adain.alpha


def _number(alpha: float) -> str:
    """Two decimals (0.30), and more where they are not all: no two strengths share a name."""
    short = f"{alpha:.2f}"
    return short if float(short) == alpha else str(alpha)


@script
def main(
    photos: Path, gallery: Path, pair: Path, encoder: Path, decoder: Path, figure: Path, results: Path,
    params: Params,
) -> None:  # fmt: skip
    """Draw the first photo for each alpha; write the row and, into `results`, every picture of it."""
    pictures, alphas = params.adain.pictures, params.adain.alpha
    chosen = choose_photos(photos, pictures.photos, gallery)
    photo = open_picture(chosen.files[0], pictures.size)
    painted = choose_style("alpha_style", pictures.alpha_style, pair / STYLE, gallery)
    painting = open_picture(painted, pictures.style_size)
    stylizer = open_stylizer(encoder, decoder, params.hardware)
    content, style = stylizer.content(photo), [stylizer.statistics(painting)]
    drawn = {alpha: stylizer.paint(content, style, alpha=alpha) for alpha in sorted({*STEPS, *alphas})}

    assigned = pair if pictures.alpha_style == PAIR else None
    note = notes(assigned, decoder, chosen.note(1), style_note(painted, pair / STYLE))
    title = "Strength of the style: decoder(α · AdaIN + (1 − α) · content)"
    labels = ["original", *(f"α = {alpha:g}" for alpha in alphas), "style"]
    save_sheet(figure, [[photo, *(drawn[alpha] for alpha in alphas), painting]], labels, title, note)
    named = {f"alpha_{_number(alpha)}": picture for alpha, picture in drawn.items()}
    save_pictures(results, {"content": photo, "style": painting, **named})
