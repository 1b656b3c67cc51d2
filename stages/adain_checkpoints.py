"""Draw the assigned pair with each checkpoint of the decoder."""

from pathlib import Path

from nnlab.adain.figures import COLUMNS, note, open_stylizer, save_pictures, save_sheet
from nnlab.adain.stylize import open_picture, open_style
from nnlab.adain.weights import LAST, checkpoints, iterations
from nnlab.data.pair import CONTENT, STYLE, stand_ins
from nnlab.figures import in_rows
from nnlab.params import Params
from nnlab.stage import script


@script
def main(pair: Path, trained: Path, figure: Path, results: Path, params: Params) -> None:
    """Draw `pair` with each decoder in `trained`; write the figure and, into `results`, its pictures."""
    sizes = params.adain.pictures
    content, painting = open_picture(pair / CONTENT, sizes.size), open_style(pair / STYLE, sizes.style_size)
    drawn, labels = {"content": content, "style": painting}, ["content", "style"]
    for percent, decoder in checkpoints(trained).items():
        labels.append(f"{percent} % ({iterations(decoder):,} iterations)")
        drawn[str(percent)] = open_stylizer(decoder, params.hardware).stylize(content, [painting])

    title = "One pair of pictures, drawn by each checkpoint of the decoder"
    save_sheet(figure, in_rows(list(drawn.values()), COLUMNS), labels, title, note(trained / LAST, stand_ins(pair)))
    save_pictures(results, drawn)
