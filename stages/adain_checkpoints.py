"""Draw the assigned pair with each checkpoint of the decoder."""

from pathlib import Path

from nnlab.adain.figures import iterations, note, open_stylizer, save_pictures, save_sheet
from nnlab.adain.stylize import open_picture, open_style
from nnlab.data.pair import CONTENT, STYLE, stand_ins
from nnlab.params import Params
from nnlab.stage import script


@script
def main(
    pair: Path, encoder: Path, d10: Path, d50: Path, d80: Path, d100: Path, figure: Path, results: Path,
    params: Params,
) -> None:  # fmt: skip
    """Draw `pair` with the encoder and the four decoders; write the figure and, into `results`, its pictures."""
    sizes = params.adain.pictures
    content, painting = open_picture(pair / CONTENT, sizes.size), open_style(pair / STYLE, sizes.style_size)
    drawn, labels = {"content": content, "style": painting}, ["content", "style"]
    for decoder in (d10, d50, d80, d100):
        percent = decoder.stem.rpartition("_")[2]
        labels.append(f"{percent} % ({iterations(decoder):,} iterations)")
        drawn[percent] = open_stylizer(encoder, decoder, params.hardware).stylize(content, [painting])

    cells = list(drawn.values())
    title = "One pair of pictures, drawn by each checkpoint of the decoder"
    save_sheet(figure, [cells[:3], cells[3:]], labels, title, note(d100, stand_ins(pair)))
    save_pictures(results, drawn)
