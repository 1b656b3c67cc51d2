"""Draw one photo in one style at every strength in `adain.alpha`."""

from pathlib import Path

from nnlab.adain.figures import COLUMNS, choose, note, open_stylizer, save_pictures, save_sheet
from nnlab.adain.weights import LAST
from nnlab.figures import in_rows
from nnlab.params import Params
from nnlab.stage import script

STEPS = [step / 10 for step in range(11)]  # what the web report's slider shows, beside adain.alpha


@script
def main(photos: Path, gallery: Path, pair: Path, trained: Path, figure: Path, results: Path, params: Params) -> None:
    """Draw the first photo for each alpha; write the figure and, into `results`, every picture."""
    alphas = params.adain.alpha
    (photo,), painting, notes = choose(params.adain.pictures, "alpha_style", photos, gallery, pair, count=1)
    decoder = trained / LAST
    stylizer = open_stylizer(decoder, params.hardware)
    content, style = stylizer.content(photo), [stylizer.statistics(painting)]
    drawn = {alpha: stylizer.paint(content, style, alpha=alpha) for alpha in sorted({*STEPS, *alphas})}

    title = "Strength of the style: decoder(α · AdaIN + (1 − α) · f(content))"
    labels = ["original", "style", *(f"α = {alpha:g}" for alpha in alphas)]
    rows = [[photo, painting], *in_rows([drawn[alpha] for alpha in alphas], COLUMNS)]
    save_sheet(figure, rows, labels, title, note(decoder, *notes))
    # Two decimals (0.30), and more where they are not all: no two strengths share a name.
    named = {f"alpha_{max(f'{alpha:.2f}', str(alpha), key=len)}": picture for alpha, picture in drawn.items()}
    save_pictures(results, {"content": photo, "style": painting, **named})
