"""What a user's input or machine can cause, in one line; and output that does not fail at a name."""

import errno
import io
import os
import sys


class UserError(Exception):
    """Something that the user can mend: one line with the key or file, what was found, what is allowed, what to do."""


def system_error(error: OSError) -> str:
    """One line for what the operating system refused; a full disk names the way out."""
    where = f"{error.filename}: " if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{where}{os.strerror(error.errno)}; free some space and run the same command again"
    return f"{where}{os.strerror(error.errno)}" if error.errno else f"{where}{str(error) or type(error).__name__}"


def lenient_output() -> None:
    """Print what the output's encoding lacks, a file name that is not UTF-8 say, as escapes, as errors are printed."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")
