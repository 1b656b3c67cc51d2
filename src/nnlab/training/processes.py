"""One process or several (torchrun): who they are and how they agree."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple

import torch
from torch import Tensor, distributed, nn
from torch.distributed.elastic.multiprocessing import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.elastic.rendezvous.api import RendezvousError
from torch.distributed.run import main as torchrun
from torch.nn.parallel import DistributedDataParallel

from nnlab.errors import UserError


class Processes(NamedTuple):
    """This process's rank among `world`, whose first alone writes files, and the device that it computes on."""

    rank: int
    world: int
    device: torch.device

    def wrap(self, module: nn.Module) -> nn.Module:
        """Let gradients be averaged over the processes."""
        if self.world == 1:
            return module
        wrapped = DistributedDataParallel(module, gradient_as_bucket_view=True)
        wrapped.broadcast_buffers = False  # they are constants; as an argument it is deprecated from torch 2.15 on
        return wrapped

    def average(self, values: Tensor) -> Tensor:
        """Mean of a tensor over the processes."""
        if self.world > 1:
            distributed.all_reduce(values)
        return values / self.world

    def first(self, make: Callable[[], Any]) -> Any:
        """What the first process makes, in every process."""
        made = [make() if self.rank == 0 else None]
        if self.world > 1:
            distributed.broadcast_object_list(made)
        return made[0]

    def wait(self) -> None:
        """Wait until every process has come this far."""
        if self.world > 1:
            distributed.barrier()


def start_torchrun() -> None:
    """Be `torchrun <this command>` where its variables (PET_NPROC_PER_NODE, PET_NNODES ...) ask for processes."""
    if "WORLD_SIZE" not in os.environ and {"PET_NPROC_PER_NODE", "PET_NNODES"} & os.environ.keys():
        local = [] if "PET_NNODES" in os.environ else ["--standalone"]
        if (count := os.environ.get("PET_NPROC_PER_NODE", "")).isdecimal():  # torchrun would give each one thread
            os.environ.setdefault("OMP_NUM_THREADS", str(max(1, torch.get_num_threads() // max(1, int(count)))))
        try:
            torchrun([*local, *sys.argv])
        except (ChildFailedError, SignalException):
            sys.exit(1)  # a process has said why
        except (distributed.DistError, RendezvousError) as error:
            keys = "PET_MASTER_ADDR, PET_MASTER_PORT, PET_NNODES, PET_NODE_RANK"
            raise UserError(f"{keys}: the machines do not meet ({error}); set them on each") from None
        sys.exit()


@contextmanager
def processes(device: torch.device) -> Iterator[Processes]:
    """Join the processes that torchrun started, gloo on CPUs and NCCL on GPUs; outside torchrun there is one.

    UserError if a process finds no GPU of its own.
    """
    world, local = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("LOCAL_RANK", "0"))
    if world == 1:
        yield Processes(0, 1, device)
        return
    if device.type == "cuda":
        if local >= torch.cuda.device_count():
            raise UserError(
                f"PET_NPROC_PER_NODE = {os.environ.get('LOCAL_WORLD_SIZE')}: this machine has "
                f"{torch.cuda.device_count()} GPU(s), one process each; lower it, or set hardware.device: cpu"
            )
        device = torch.device("cuda", local)
        torch.cuda.set_device(device)
    # A step takes seconds; who waits five minutes waits for a process that is gone.
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=timedelta(minutes=5))
    try:
        yield Processes(int(os.environ["RANK"]), world, device)
    finally:
        distributed.destroy_process_group()
