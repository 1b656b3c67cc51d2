"""One process or several (torchrun): who they are and how they agree."""

import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Thread
from typing import NamedTuple

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from nnlab.errors import UserError

TIMEOUT = timedelta(minutes=5)  # a step takes seconds; who waits longer waits for a process that is gone
PATIENCE = 10.0  # seconds in which the launcher ends this process, too, if another one has ended, and tells of that one
_AGAIN = "run the same command again: the training goes on from its last saved state, with any number of processes"
_LAUNCHER = "NNLAB_LAUNCHER"  # environment variable: the process that `start` ran in


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
        wrapped = DistributedDataParallel(module, gradient_as_bucket_view=True)
        wrapped.broadcast_buffers = False  # they are constants; as an argument it is deprecated from torch 2.15 on
        return wrapped

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


def usable_cores() -> int:
    """The cores that this process may use: fewer than the machine has in many a container or batch job."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cores_each() -> int:
    """The share of the usable cores that each process of torchrun has on this machine, at least one."""
    return max(1, usable_cores() // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))


def start(count: int) -> None:
    """Run this very command in ``count`` processes, as `torchrun --standalone --nproc-per-node=count` would.

    UserError if one fails, which has told why itself, or is killed; the others are ended then.
    """
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    os.environ[_LAUNCHER] = str(os.getpid())
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, usable_cores() // count)))  # else each takes all cores
    logging.disable()  # torch would say at length, with traces, what the lines below say
    config = LaunchConfig(
        1, 1, count, run_id=str(os.getpid()), rdzv_backend="c10d", rdzv_endpoint="localhost:0", local_addr="localhost",
        max_restarts=0, logs_specs=DefaultLogsSpecs(os.devnull), signals_to_handle="SIGTERM,SIGHUP,SIGQUIT",
    )  # fmt: skip  # SIGINT is Python's: passed on, each process would print a line
    try:
        elastic_launch(config, sys.executable)(*sys.argv)
    except SignalException:
        raise KeyboardInterrupt from None
    except ChildFailedError as error:
        rank, failed = error.get_first_failure()
        if failed.exitcode < 0:
            how = f"was killed ({failed.signal_name()}), perhaps for lack of memory; {_AGAIN}"
        else:
            how = "failed; its own line says why"
        raise UserError(f"training process {rank} of {count} {how}") from None


def _end_with(launcher: int) -> None:
    """End this process when its launcher is gone: it would train on unseen, and hold the job against the next run."""
    while os.getppid() == launcher:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


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
    if _LAUNCHER in os.environ:
        Thread(target=_end_with, args=(int(os.environ[_LAUNCHER]),), daemon=True).start()
    if device.type == "cuda":
        check_gpus(int(os.environ.get("LOCAL_WORLD_SIZE", world)))
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    _join("nccl" if device.type == "cuda" else "gloo", rank, world)
    try:
        yield Processes(rank, world, device)
    except (UserError, OSError):
        time.sleep(PATIENCE if rank else 0)  # what all stumble over is told by the first
        raise
    except RuntimeError as error:  # gloo raises RuntimeError, NCCL DistBackendError, which is one
        if "onnection" not in str(error) and "imed out" not in str(error) and "NCCL" not in str(error):
            raise
        time.sleep(PATIENCE)
        reason = str(error).splitlines()[0][:120]
        raise UserError(f"process {rank} of {world} lost another one ({reason}); {_AGAIN}") from None
    finally:
        distributed.destroy_process_group()
