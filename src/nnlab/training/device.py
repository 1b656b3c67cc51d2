"""Where and how precisely a network computes: chosen once, in the stage."""

import os
import sys

import torch
import torch.nn.functional as F
from torch import Tensor

from nnlab.errors import UserError

FAST_BF16 = ("avx512_bf16", "amx_bf16")  # the CPU features that make bfloat16 matrix work faster than float32


def pick_device(name: str) -> torch.device:
    """Turn `hardware.device` or `--device` into a device; "auto" takes the first GPU if there is one that computes.

    What it must be able to do: see `agrees_with_cpu`. Of torchrun's processes each has a GPU of its own, not the first.
    """
    if name == "auto":
        alone = "WORLD_SIZE" not in os.environ
        mps = alone and torch.backends.mps.is_available()  # of which a machine has one, and gloo knows none
        name = "cuda" if torch.cuda.is_available() else "mps" if mps else "cpu"
        if name != "cpu" and alone and not agrees_with_cpu(torch.device(name)):
            print(f"the GPU ({name}) fails in a small training step, or differs: computing on the CPU", file=sys.stderr)
            name = "cpu"
        return torch.device(name)
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()  # the "meta" device, which computes nothing, fails here
    except Exception as error:  # each kind of device has its own: RuntimeError, AssertionError, ImportError ...
        reason = str(error).partition("\n")[0]
        raise UserError(
            f"device {name!r} cannot be used here ({reason}); set hardware.device, or --device of nnlab, to auto or cpu"
        ) from None
    return device


def agrees_with_cpu(device: torch.device) -> bool:
    """Whether a small step, of the operations that the trainings are made of, gives the CPU's numbers on `device`.

    CUDA's are not compared, for it may round to TF32: it fails where this PyTorch has no code for an old card.
    """
    draws = torch.Generator().manual_seed(1)
    images, weight = (torch.rand(shape, generator=draws) for shape in ((2, 4, 10, 10), (8, 4, 3, 3)))

    def step(place: torch.device) -> Tensor:
        leaf = weight.clone().to(place).requires_grad_()
        features = F.conv2d(F.pad(images.to(place), (1, 1, 1, 1), mode="reflect"), leaf - 0.5).relu()
        drawn = F.avg_pool2d(F.pixel_shuffle(F.pad(features, (1, 1, 1, 1), mode="replicate"), 2), 4)
        (F.max_pool2d(features, 2).square().mean() + features.std() + drawn.square().mean()).backward()
        torch.optim.Adam([leaf], 0.1, fused=True).step()
        assert leaf.grad is not None
        enlarged = F.interpolate(features.detach(), scale_factor=2, mode="bicubic")
        return torch.cat([values.detach().cpu().flatten() for values in (leaf.grad, leaf, enlarged)])

    try:
        found = step(device)
    except RuntimeError as error:  # an operation that is not there, or memory that others have taken
        print(f"{device}: {str(error).partition(chr(10))[0]}", file=sys.stderr)
        return False
    return device.type == "cuda" or torch.allclose(found, step(torch.device("cpu")), rtol=1e-3, atol=1e-6)


def pick_precision(name: str, device: torch.device) -> torch.dtype:
    """Turn `hardware.precision` into torch.float32 or torch.bfloat16; "auto" takes bfloat16 where it is fast."""
    if name == "auto":
        if device.type == "cuda":
            fast = torch.cuda.is_bf16_supported(including_emulation=False)
        else:
            has = torch.cpu.get_capabilities() if device.type == "cpu" else {}
            fast = any(has.get(feature) for feature in FAST_BF16)
        name = "bfloat16" if fast else "float32"
    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[name]


def autocast(device: torch.device, precision: torch.dtype) -> torch.autocast:
    """Autocast to `precision`; does nothing for float32."""
    return torch.autocast(device.type, precision, enabled=precision != torch.float32)
