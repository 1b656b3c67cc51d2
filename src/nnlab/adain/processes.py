"""One process or several (torchrun): who they are and how they agree."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import NamedTuple

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from nnlab.errors import UserError

TIMEOUT = timedelta(minutes=5)  # a step takes seconds; who waits longer waits for a process that is gone


class Processes(NamedTuple):
    """This process's rank among ``world``, and the device that it computes on."""

    rank: int
    world: int
    device: torch.device

    @property
    def writes(self) -> bool:
        """Whether this is the one process that writes files and shows progress."""
        return self.rank == 0

    def wrap(self, module: nn.Module) -> nn.Module:
        """Let gradients be averaged over the processes."""
        if self.world == 1:
            return module
        return DistributedDataParallel(module, broadcast_buffers=False, gradient_as_bucket_view=True)

    def average(self, values: Tensor) -> Tensor:
        """Mean of a tensor over the processes."""
        if self.world > 1:
            distributed.all_reduce(values)
            values = values / self.world
        return values

    def wait(self) -> None:
        """Wait until every process has come this far."""
        if self.world > 1:
            distributed.barrier()


def check_gpus(count: int) -> None:
    """UserError if this machine has fewer GPUs than processes: each needs one of its own."""
    if count > torch.cuda.device_count():
        raise UserError(
            f"adain.run.processes = {count}: this machine has {torch.cuda.device_count()} GPU(s), one process each; "
            "lower it, or set hardware.device: cpu"
        )


def _join(backend: str, rank: int, world: int) -> None:
    """Meet the other processes; UserError if that fails, with the reason."""
    try:
        distributed.init_process_group(backend, timeout=TIMEOUT)
    except (RuntimeError, ValueError, OSError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)[:160]
        raise UserError(
            f"process {rank} of {world} cannot join the others ({backend}: {reason}); run the same command again, "
            "or set adain.run.processes to 1"
        ) from None


@contextmanager
def processes(device: torch.device) -> Iterator[Processes]:
    """Join the processes that torchrun started, gloo on CPUs and NCCL on GPUs; outside torchrun there is one.

    A process that ends early ends the others with one line instead of a stack of traces.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Processes(0, 1, device)
        return
    rank = int(os.environ["RANK"])
    if device.type == "cuda":
        check_gpus(int(os.environ.get("LOCAL_WORLD_SIZE", world)))
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    _join("nccl" if device.type == "cuda" else "gloo", rank, world)
    try:
        yield Processes(rank, world, device)
    except RuntimeError as error:  # gloo raises RuntimeError, NCCL DistBackendError, which is one
        if "onnection" not in str(error) and "imed out" not in str(error) and "NCCL" not in str(error):
            raise
        raise UserError(
            f"process {rank} of {world} lost another one ({str(error).splitlines()[0][:120]}); "
            "run the same command again: the training goes on from its last saved state, with any number of processes"
        ) from None
    finally:
        distributed.destroy_process_group()
