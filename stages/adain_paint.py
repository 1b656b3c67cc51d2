"""Paint the generated art that AdaIN learns from where no real paintings are given."""

from pathlib import Path

from nnlab.stage import run


def main(samples: Path, out: Path, params: Path = Path("params.yaml")) -> None:
    """Paint the photos of `samples` in many manners; write the pictures and provenance.json into `out`."""
    from nnlab.adain.paint.studio import paint_all
    from nnlab.data.catalog import write_provenance
    from nnlab.data.samples import PHOTOS
    from nnlab.files import atomic_dir
    from nnlab.params import load_params
    from nnlab.training.progress import Progress

    art = load_params(params).adain.art
    with atomic_dir(out) as folder, Progress(art.pictures, "painting", "pictures") as bar:
        files = paint_all(samples / PHOTOS, folder, art.pictures, art.size, art.seed, lambda: bar.update())
        note = f"{art.pictures} generated paintings, seed {art.seed}, after the sample photos"
        write_provenance(folder, "art", note, files=files)


if __name__ == "__main__":
    run(main)
