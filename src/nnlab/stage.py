"""How a stage script starts and ends: paths in, one line and a non-zero exit code on an error that a user can mend."""

import inspect
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from pathlib import Path

from nnlab.errors import UserError, lenient_output, system_error


def run(main: Callable[..., None]) -> None:
    """Call `main` with the command line's arguments, converted to the types that its signature names (Path or str)."""
    lenient_output()
    # Pillow's of damaged pictures: the stages list those themselves
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
    sys.exit(call(main, sys.argv[1:]))


def call(main: Callable[..., None], arguments: list[str]) -> int:
    """Call `main`; return the exit code: 0, 1 after an error that was printed, 2 for wrong arguments, 130 on Ctrl-C."""
    parameters = list(inspect.signature(main, eval_str=True).parameters.values())
    needed = [p.name for p in parameters if p.default is p.empty]
    if not len(needed) <= len(arguments) <= len(parameters):
        print(f"usage: {sys.argv[0]} {' '.join(p.name.upper() for p in parameters)}", file=sys.stderr)
        return 2
    try:
        main(*(p.annotation(text) for p, text in zip(parameters, arguments)))
    except UserError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(system_error(error))
    except BrokenExecutor:
        return _fail("a helper process was killed, probably for lack of memory; close other programs and run it again")
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not any(words in str(error) for words in _OUT_OF_MEMORY):
            raise
        return _fail("not enough memory; lower the batch or picture sizes in params.yaml, or close other programs")
    except KeyboardInterrupt:
        return _fail("interrupted; run the same command again to go on", 130)
    return 0


_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")  # torch: CUDA, Linux, Windows


def _fail(line: str, code: int = 1) -> int:
    name = Path(sys.argv[0]).stem
    print(f"{name}: error: {' '.join(line.split())}", file=sys.stderr)
    return code
