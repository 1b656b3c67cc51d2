"""Draw the assigned pair with each checkpoint of the decoder."""

from pathlib import Path

from nnlab.stage import run


def main(
    pair: Path, encoder: Path, d10: Path, d50: Path, d80: Path, d100: Path, figure: Path, results: Path,
    params: Path = Path("params.yaml"),
) -> None:  # fmt: skip
    """Draw `pair` with the encoder and the four decoders; write the figure and, into `results`, its pictures."""
    from nnlab.adain.pictures import CONTENT, STYLE, iterations, notes, open_picture, open_stylizer
    from nnlab.adain.sheets import checkpoints_sheet
    from nnlab.data.images import save_image
    from nnlab.figures import save_figure, style
    from nnlab.files import atomic_dir
    from nnlab.params import load_params

    loaded = load_params(params)
    hardware, pictures = loaded.hardware, loaded.adain.pictures
    content, painting = open_picture(pair / CONTENT, pictures.size), open_picture(pair / STYLE, pictures.style_size)
    drawn, labels = {"content": content, "style": painting}, {}
    for decoder in (d10, d50, d80, d100):
        percent, count = decoder.stem.rpartition("_")[2], iterations(decoder)
        labels[percent] = f"{percent} %" + (f" ({count:,} iterations)" if count else "")
        stylizer = open_stylizer(encoder, decoder, hardware.device, hardware.precision)
        drawn[percent] = stylizer.stylize(content, [painting])

    with style():
        steps = [(label, drawn[percent]) for percent, label in labels.items()]
        save_figure(checkpoints_sheet(content, painting, steps, notes(pair, d100)), figure)
    with atomic_dir(results) as folder:
        for name, picture in drawn.items():
            save_image(picture, folder / f"{name}.png")


if __name__ == "__main__":
    run(main)
