"""Draw the assigned pair with each checkpoint of the decoder."""

from pathlib import Path

from nnlab.adain.figures import iterations, note, open_pair, open_stylizer, save_pictures, save_sheet
from nnlab.params import Params
from nnlab.stage import script


@script
def main(
    pair: Path, encoder: Path, d10: Path, d50: Path, d80: Path, d100: Path, figure: Path, results: Path,
    params: Params,
) -> None:  # fmt: skip
    """Draw `pair` with the encoder and the four decoders; write the figure and, into `results`, its pictures."""
    (content,), painting, notes = open_pair(params.adain.pictures, pair)
    drawn, labels = {"content": content, "style": painting}, ["content", "style"]
    for decoder in (d10, d50, d80, d100):
        percent, count = decoder.stem.rpartition("_")[2], iterations(decoder)
        labels.append(f"{percent} %" + (f" ({count:,} iterations)" if count else ""))
        drawn[percent] = open_stylizer(encoder, decoder, params.hardware).stylize(content, [painting])

    cells = list(drawn.values())
    title = "The assigned pair, drawn by each checkpoint of the decoder"
    save_sheet(figure, [cells[:3], cells[3:]], labels, title, note(d100, *notes))
    save_pictures(results, drawn)
