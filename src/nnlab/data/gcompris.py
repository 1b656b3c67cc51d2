"""The paintings and photos of GCompris, an educational suite: from its Debian package, or one by one from GitHub.

`gcompris.sha256` lists every file that is taken, by its path in the project's folder `src/activities`, in the format of
`sha256sum`; it is the choice of pictures. All were looked at. Left out: drawings and objects, fish and solar cookers on
plain grounds, Michelangelo's Pietà (a photo of a sculpture), three monuments that occur twice, two spoilt scans, a mill
that occurs twice, and Trier's basilica, whose licence is noted for a file of another name.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from nnlab.data.catalog import Asset
from nnlab.data.download import DownloadError, Source, debian_source, url_source
from nnlab.data.rcc import read_rcc
from nnlab.errors import UserError
from nnlab.files import atomic

_CHECKSUMS = Path(__file__).with_suffix(".sha256")
_ACTIVITIES = "gcompris/src/activities"  # where the package's resource files have what upstream has in src/activities


def gcompris_asset() -> Asset:
    """The files that `gcompris.sha256` lists: pictures, jigsaw tiles, boards (titles) and READMEs (licences).

    The package is asked first: one download of 44 MB in the place of 508. What it holds in another release of Debian or
    Ubuntu serves as well, as long as the files are the same.
    """
    lines = _CHECKSUMS.read_text(encoding="utf-8").splitlines()
    return Asset(
        name="gcompris",
        note="paintings and photos of GCompris 3.1 (gcompris.net), with the READMEs that name authors and licences",
        files={path: digest for digest, path in (line.split("  ", 1) for line in lines)},
        sources=(
            _package_source(),
            url_source("https://raw.githubusercontent.com/gcompris/GCompris-qt/V3.1/src/activities"),
        ),
    )


def _package_source() -> Source:
    """Files in the Debian package's Qt resource files, one of which holds an activity."""
    package = debian_source("gcompris-qt-data", "usr/share/gcompris-qt/rcc", ".rcc")
    activities: dict[str, dict[str, bytes]] = {}

    def get(file: str, path: Path) -> None:
        activity = file.partition("/")[0]
        if activity not in activities:
            activities[activity] = _read_activity(package, activity)
        if (data := activities[activity].get(f"{_ACTIVITIES}/{file}")) is None:
            raise DownloadError(f"{activity}.rcc has no {file}")
        with atomic(path) as temporary:
            temporary.write_bytes(data)

    return Source(package.name, get)


def _read_activity(package: Source, activity: str) -> dict[str, bytes]:
    with TemporaryDirectory(prefix="nnlab-") as work:
        packed = Path(work) / f"{activity}.rcc"
        package.get(activity, packed)
        try:
            return read_rcc(packed)
        except UserError as error:
            raise DownloadError(str(error)) from None
