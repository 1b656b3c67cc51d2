"""Photos that scikit-image, scikit-learn and matplotlib carry in their wheels: what the encoder is normalised on.

The packages are looked up, not imported, and their files are copied as they are. Facts about each photo come from the
packages' own documentation: `skimage.data`, `sklearn/datasets/images/README.txt`, matplotlib's `sample_data`.
"""

import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from nnlab.data.catalog import write_provenance
from nnlab.data.download import installed_file
from nnlab.errors import UserError
from nnlab.files import atomic_dir, sha256

PHOTOS = "photos"  # folder of the pictures inside the stage's output; provenance.json lies beside it


@dataclass(frozen=True)
class Sample:
    """One photo: the import package and path that hold it, what it shows, and on what terms it may be used."""

    package: str
    path: str
    subject: str
    licence: str

    @property
    def file(self) -> str:
        """Name of the copy."""
        return Path(self.path).name


DISTRIBUTIONS = {"skimage": "scikit-image", "sklearn": "scikit-learn", "matplotlib": "matplotlib"}

SAMPLES = {
    sample.file.partition(".")[0]: sample
    for sample in (
        Sample("skimage", "data/astronaut.png", "portrait of Eileen Collins", "public domain (NASA)"),
        Sample("skimage", "data/brick.png", "brick wall, grey", "CC0"),
        Sample("skimage", "data/camera.png", "photographer before a skyline, grey", "CC0 (Lav Varshney)"),
        Sample("skimage", "data/chelsea.png", "cat", "CC0 (Stefan van der Walt)"),
        Sample("skimage", "data/coffee.png", "cup of coffee on a table", "CC0 (Rachel Michetti)"),
        Sample("skimage", "data/coins.png", "Greek coins, grey", "no known restrictions (Brooklyn Museum)"),
        Sample("skimage", "data/grass.png", "grass, grey", "CC0"),
        Sample("skimage", "data/gravel.png", "gravel, grey", "CC0"),
        Sample("skimage", "data/hubble_deep_field.jpg", "galaxies", "public domain (NASA)"),
        Sample("skimage", "data/ihc.png", "stained tissue", "no known restrictions (CMMI)"),
        Sample("skimage", "data/moon.png", "surface of the moon, grey", "no known restrictions"),
        Sample("skimage", "data/motorcycle_left.png", "motorcycle in a workshop", "Middlebury stereo 2014, research"),
        Sample("skimage", "data/retina.jpg", "human retina", "CC0 (Mikael Häggström)"),
        Sample("skimage", "data/rocket.jpg", "rocket at night", "public domain (SpaceX)"),
        Sample("sklearn", "datasets/images/china.jpg", "pagoda in a park", "CC BY 2.0 (danielbuechele)"),
        Sample("sklearn", "datasets/images/flower.jpg", "dahlia", "CC BY 2.0 (vultilion)"),
        Sample(
            "matplotlib", "mpl-data/sample_data/grace_hopper.jpg", "portrait of Grace Hopper", "public domain (US Navy)"
        ),
    )
}


def fetch_samples(folder: Path) -> None:
    """Copy every sample photo into `folder`/photos and write `folder`/provenance.json.

    Raises `UserError` naming the package when a photo is not where its package used to have it.
    """
    with atomic_dir(folder) as temporary:
        (temporary / PHOTOS).mkdir()
        photos = {}
        for sample in SAMPLES.values():
            copy = temporary / PHOTOS / sample.file
            shutil.copyfile(locate(sample), copy)
            photos[sample.file] = {
                "source": f"{_distribution(sample)}, {sample.package}/{sample.path}",
                "subject": sample.subject,
                "licence": sample.licence,
            }
        write_provenance(
            temporary,
            "samples",
            "sample photos from " + ", ".join(sorted({_distribution(sample) for sample in SAMPLES.values()})),
            files={f"{PHOTOS}/{name}": sha256(temporary / PHOTOS / name) for name in sorted(photos)},
            photos=dict(sorted(photos.items())),
        )


def _distribution(sample: Sample) -> str:
    name = DISTRIBUTIONS[sample.package]
    return f"{name} {version(name)}"


def locate(sample: Sample) -> Path:
    """Path of the photo inside its installed package, without importing the package."""
    if path := installed_file(sample.package, sample.path):
        return path
    name = DISTRIBUTIONS[sample.package]
    raise UserError(
        f"{sample.file}: not in an installed {name}; `pip install {name}` in the version of requirements.txt"
    )
