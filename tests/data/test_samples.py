from pathlib import Path

from nnlab.data.catalog import read_provenance
from nnlab.data.images import list_images, read_image
from stages import fetch


def test_every_photo_is_readable_and_its_source_and_terms_are_noted(tmp_path: Path) -> None:
    fetch.main("samples", tmp_path / "samples")
    record = read_provenance(tmp_path / "samples/provenance.json")
    photos = {f"photos/{path.name}": read_image(path) for path in list_images(tmp_path / "samples/photos")}
    assert len(photos) == 17
    assert photos.keys() == record["photos"].keys()
    assert min(min(photo.size) for photo in photos.values()) >= 256
    china = record["photos"]["photos/china.jpg"]
    assert (china["package"], china["licence"][:9]) == ("scikit-learn", "CC BY 2.0")
