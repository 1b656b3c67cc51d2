"""Photos that scikit-image, scikit-learn and matplotlib carry in their wheels: what the encoder is normalised on.

`samples.csv` names them; facts about each come from the packages' own documentation: `skimage.data`,
`sklearn/datasets/images/README.txt`, matplotlib's `sample_data`. None of the packages is imported.
"""

import csv
from pathlib import Path

from nnlab.data.catalog import Asset
from nnlab.data.download import installed_source

PHOTOS = "photos"  # folder of the pictures inside the asset's; provenance.json lies beside it

with Path(__file__).with_suffix(".csv").open(newline="", encoding="utf-8") as _file:
    _ROWS = {f"{PHOTOS}/{Path(row['path']).name}": row for row in csv.DictReader(_file)}  # package, licence, ...

SAMPLES = Asset(
    name="samples",
    note="sample photos of scikit-image, scikit-learn and matplotlib",
    files={name: row["sha256"] for name, row in _ROWS.items()},
    sources=[installed_source({name: row["path"] for name, row in _ROWS.items()})],
    details={"photos": _ROWS},
)
