"""How much memory reading takes at most, in a process of its own: also what C libraries take, unlike tracemalloc."""

import subprocess
import sys
from pathlib import Path

from tests.tools import lacking

_STATUS = Path("/proc/self/status")
_PROGRAM = """
import sys, time

def peak():  # in KiB; getrusage would count the process that started this one, too
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])

{setup}
before, began = peak(), time.monotonic()
try:
    {code}
    said = ""
except Exception as error:
    said = f"{{type(error).__name__}}: {{error}}"
print(peak() - before, time.monotonic() - began, said)
"""


def measured(setup: str, code: str, *arguments: object) -> tuple[float, float, str]:
    """Run `code` after `setup`, with `arguments` as sys.argv[1:]; return MiB, seconds and the exception as a line."""
    if not _STATUS.exists():
        lacking("needs Linux's /proc")
    program = _PROGRAM.format(setup=setup, code=code)
    command = [sys.executable, "-c", program, *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    kib, seconds, said = result.stdout.split(" ", 2)
    return int(kib) / 1024, float(seconds), said.rstrip("\n")
