"""How a stage script starts and ends: paths in, one line and a non-zero exit code on an error that a user can mend."""

import ctypes
import inspect
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

from nnlab.errors import exit_code
from nnlab.params import Params, load_params

Main = Callable[..., None]

_MALLOPT = {-3: 2**25, -1: 2**31 - 1}  # glibc's M_MMAP_THRESHOLD, its highest, and M_TRIM_THRESHOLD (malloc.h)


def script(main: Main) -> Main:
    """Decorate a stage's main: it runs at once where its file is the program, and is a function where it is imported.

    Arguments become what the signature says: a Path, a str, or, in the last place, the Params that the file of that
    name holds, params.yaml where none is named.
    """
    if main.__module__ == "__main__":
        run(main)

    @wraps(main)
    def typed(*arguments: Path | str) -> None:
        main(*_typed(main, arguments))

    return typed


def run(main: Main) -> None:
    """Call `main` with the command line's arguments, and end the program.

    glibc, where it is, is told to keep what is freed: every step asks for the same tensors again, and new pages from
    Linux were an eighth of Gatys' iteration.
    """
    # Pillow's of damaged pictures, which the stages list themselves, and of large ones
    warnings.filterwarnings("ignore", module=r"PIL\.")
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        for option, value in _MALLOPT.items():
            mallopt(option, value)
    sys.exit(call(main, sys.argv[1:]))


def call(main: Main, arguments: Sequence[str]) -> int:
    """Call a stage's `main`; return the exit code: that of `errors.exit_code`, or 2 for a wrong number of arguments."""
    names = list(inspect.signature(main).parameters)
    if not len(names) - ("params" in names) <= len(arguments) <= len(names):
        print(f"usage: {sys.argv[0]} {' '.join(names).upper()}", file=sys.stderr)
        return 2
    stage = os.environ.get("DVC_STAGE", Path(sys.argv[0]).stem).rpartition(":")[2]  # autoencoder_train@denoiser
    return exit_code(stage, lambda: main(*_typed(main, arguments)), "interrupted; run the same command again to go on")


def _typed(main: Main, arguments: Sequence[Path | str]) -> list[Any]:
    kinds = [parameter.annotation for parameter in inspect.signature(main, eval_str=True).parameters.values()]
    given = [*arguments, "params.yaml"][: len(kinds)]
    return [
        value if isinstance(value, kind) else load_params(Path(value)) if kind is Params else kind(value)
        for kind, value in zip(kinds, given)
    ]
