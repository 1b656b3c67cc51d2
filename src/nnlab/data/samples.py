"""Photos that scikit-image, scikit-learn and matplotlib carry in their wheels: what the encoder is normalised on.

`samples.csv` names them; facts about each come from the packages' own documentation: `skimage.data`,
`sklearn/datasets/images/README.txt`, matplotlib's `sample_data`. None of the packages is imported.
"""

import csv
import shutil
from importlib.metadata import version
from pathlib import Path

from nnlab.data.catalog import write_provenance
from nnlab.data.download import installed_file
from nnlab.errors import UserError
from nnlab.files import atomic_dir, sha256

TABLE = Path(__file__).with_suffix(".csv")
PHOTOS = "photos"  # folder of the pictures inside the stage's output; provenance.json lies beside it


def fetch_samples(folder: Path) -> None:
    """Copy every sample photo into `folder`/photos and write `folder`/provenance.json.

    Raises `UserError` naming the package when a photo is not where its package used to have it.
    """
    with atomic_dir(folder) as temporary:
        (temporary / PHOTOS).mkdir()
        photos, files, packages = {}, {}, set()
        for row in csv.DictReader(TABLE.read_text(encoding="utf-8").splitlines()):
            copy = temporary / PHOTOS / Path(row["path"]).name
            shutil.copyfile(_locate(row["package"], row["path"]), copy)
            package = f"{row['package']} {version(row['package'])}"
            packages.add(package)
            files[f"{PHOTOS}/{copy.name}"] = sha256(copy)
            photos[copy.name] = {
                "source": f"{package}, {row['path']}",
                "subject": row["subject"],
                "licence": row["licence"],
            }
        note = f"sample photos from {', '.join(sorted(packages))}"
        write_provenance(temporary, "samples", note, files=files, photos=photos)


def _locate(package: str, path: str) -> Path:
    module, _, inside = path.partition("/")
    if found := installed_file(module, inside):
        return found
    raise UserError(
        f"{path}: not in an installed {package}; `pip install {package}` in the version of requirements.txt"
    )
