"""What every training run needs: seeds, device, precision, tensors on disk, TensorBoard."""

import hashlib
import json
import os
import re
import shutil
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from nnlab.errors import UserError
from nnlab.files import atomic

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

RUNS = Path("runs")  # TensorBoard; not tracked by DVC, because event files hold times and host names

# The CPU features that make bfloat16 matrix work faster than float32 (Intel's names, as Linux lists them).
FAST_BF16 = {"avx512_bf16", "amx_bf16"}


def generator(seed: int, *stream: int | str) -> torch.Generator:
    """Return a CPU generator whose draws depend on `seed` and the named stream alone, on no earlier draw.

    `generator(seed, "batch", t)` makes the batch of step t the same for every worker, process and resumed run.
    """
    digest = hashlib.sha256(json.dumps([seed, *stream]).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def pick_device(name: str) -> torch.device:
    """Turn `hardware.device` or `--device` into a device; "auto" takes the first GPU if there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()  # the "meta" device, which computes nothing, fails here
    except Exception as error:  # each kind of device has its own: RuntimeError, AssertionError, ImportError ...
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(
            f"device {name!r} cannot be used here ({reason}); set hardware.device, or --device of nnlab, to auto or cpu"
        ) from None
    return device


def pick_precision(name: str, device: torch.device) -> torch.dtype:
    """Turn `hardware.precision` into torch.float32 or torch.bfloat16; "auto" takes bfloat16 where it is fast."""
    if name == "float32":
        return torch.float32
    if name == "bfloat16":
        return torch.bfloat16
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    return torch.bfloat16 if device.type == "cpu" and FAST_BF16 & _cpu_flags() else torch.float32


def _cpu_flags() -> set[str]:
    """The CPU's feature flags where the system lists them (Linux); empty elsewhere, which means float32."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    return set(next((line.split(":", 1)[1].split() for line in lines if line.startswith("flags")), []))


def autocast(device: torch.device, precision: torch.dtype) -> AbstractContextManager:
    """Autocast to `precision`; does nothing for float32."""
    return nullcontext() if precision == torch.float32 else torch.autocast(device.type, precision)


def count_parameters(model: nn.Module) -> int:
    """Number of trainable scalars."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def save_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write tensors as safetensors, whole or not at all; the same tensors and metadata make the same bytes."""
    with atomic(path) as temporary:
        whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        try:
            save_file(whole, temporary, metadata)
        except SafetensorError as error:  # the system's refusals arrive as text: "... (os error 28)"
            if code := re.search(r"os error (\d+)", str(error)):
                raise OSError(int(code[1]), os.strerror(int(code[1]))) from None
            raise
        if metadata:
            _sort_metadata(temporary)


def _sort_metadata(path: Path) -> None:
    """Put the metadata of a safetensors file in order: the library writes them in another order in each process."""
    with path.open("r+b") as file:
        size = int.from_bytes(file.read(8), "little")  # the format: length of the header, header as JSON, data
        header = json.loads(file.read(size))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode().ljust(size)
        if len(text) != size:
            raise ValueError(f"{path}: the header changed its length from {size} to {len(text)}")
        file.seek(8)
        file.write(text)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read what `save_tensors` wrote: tensors and metadata. A damaged or foreign file is a `UserError`."""
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except FileNotFoundError:
        raise UserError(f"{path}: not found; run `dvc repro` to make it") from None
    except SafetensorError as error:
        raise UserError(f"{path}: not a whole safetensors file ({error}); delete it and run `dvc repro`") from None


def log_writer(name: str) -> "SummaryWriter":
    """TensorBoard writer into runs/<name>, emptied first so that one folder shows one run."""
    from torch.utils.tensorboard import SummaryWriter  # slow to import: only training stages pay

    shutil.rmtree(RUNS / name, ignore_errors=True)
    return SummaryWriter(str(RUNS / name))
