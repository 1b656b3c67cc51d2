"""Draw the assigned pair with each checkpoint of the decoder."""

from pathlib import Path

from nnlab.adain.figures import CONTENT, STYLE, iterations, notes, open_stylizer, save_pictures, save_sheet
from nnlab.adain.stylize import open_picture
from nnlab.params import Params
from nnlab.stage import script


@script
def main(
    pair: Path, encoder: Path, d10: Path, d50: Path, d80: Path, d100: Path, figure: Path, results: Path,
    params: Params,
) -> None:  # fmt: skip
    """Draw `pair` with the encoder and the four decoders; write the figure and, into `results`, its pictures."""
    pictures = params.adain.pictures
    content, painting = open_picture(pair / CONTENT, pictures.size), open_picture(pair / STYLE, pictures.style_size)
    drawn, labels = {"content": content, "style": painting}, ["content", "style"]
    for decoder in (d10, d50, d80, d100):
        percent, count = decoder.stem.rpartition("_")[2], iterations(decoder)
        labels.append(f"{percent} %" + (f" ({count:,} iterations)" if count else ""))
        drawn[percent] = open_stylizer(encoder, decoder, params.hardware).stylize(content, [painting])

    cells = list(drawn.values())
    title = "The assigned pair, drawn by each checkpoint of the decoder"
    save_sheet(figure, [cells[:3], cells[3:]], labels, title, notes(pair, d100))
    save_pictures(results, drawn)
