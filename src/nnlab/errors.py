"""What a user's input or machine can cause, in one line; and output that does not fail at a name."""

import errno
import io
import os
import sys
from collections.abc import Callable


def made_anew(path: object) -> str:
    """How a damaged output is made anew: DVC trusts a copy that nobody may write, and would bring the damage back."""
    return f"delete {path}, then `chmod -R u+w .dvc/cache` and `dvc repro`"


class UserError(Exception):
    """Something that the user can mend: one line with the key or file, what was found, what is allowed, what to do."""


# torch: CUDA, Linux, Windows, cuBLAS, oneDNN, a DataLoader's worker that the system ended, that has no shared memory
_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "CUBLAS_STATUS_ALLOC_FAILED",
                  "could not create a primitive", "DataLoader worker (pid",
                  "unable to allocate shared memory", "unable to write to file </torch_")  # fmt: skip


def exit_code(program: str, work: Callable[[], object], interrupted: str) -> int:
    """Do `work`; return 0, 1 after one line about what a user or a machine can cause, 130 after Ctrl-C.

    What is neither is a defect of ours, and keeps its traceback.
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # a file name that is not UTF-8, as errors are printed
    code = 1
    try:
        work()
        return 0
    except KeyboardInterrupt:
        line, code = interrupted, 130
    except Exception as error:
        if not (line := in_one_line(error)):
            raise
    print(f"{program}: error: {line}", file=sys.stderr)
    return code


def in_one_line(error: Exception) -> str:
    """What a user or a machine caused; nothing for a defect of ours."""
    line = str(error) if isinstance(error, UserError) else ""
    if isinstance(error, OSError):  # what the operating system refused; a full disk names the way out
        reason = os.strerror(error.errno) if error.errno else str(error) or type(error).__name__
        where = f"{error.filename}: " if error.filename else ""
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        line = f"{where}{reason}{'; free some space and run the same command again' if full else ''}"
    elif isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(words in str(error) for words in _OUT_OF_MEMORY)
    ):
        line = "not enough memory; lower the batch or picture sizes, close other programs, or compute on the CPU"
        if "DataLoader" in str(error):
            line = "not enough memory for adain.run.workers; lower it, or give a container more (docker's --shm-size)"
    return " ".join(line.split())
