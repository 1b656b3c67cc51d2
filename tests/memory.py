"""How much memory reading takes at most, in a process of its own: also what C libraries take, unlike tracemalloc."""

import subprocess
import sys
from pathlib import Path

from tests.tools import lacking

_PROGRAM = """
import sys
from pathlib import Path

def peak():  # in KiB; getrusage would count the process that started this one, too
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])

folder = Path(sys.argv[1])
{setup}
before = peak()
{code}
print((peak() - before) / 1024)
"""


def measured(setup: str, code: str, folder: Path) -> float:
    """Run `code` after `setup`, both with `folder`; return the MiB that the code took at most."""
    if not Path("/proc/self/status").exists():
        lacking("needs Linux's /proc")
    command = [sys.executable, "-c", _PROGRAM.format(setup=setup, code=code), str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return float(result.stdout)
