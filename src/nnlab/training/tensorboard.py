"""Where curves and pictures go that TensorBoard shows. Apart from `progress`, because it imports torch."""

import shutil
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

RUNS = Path("runs")  # not tracked by DVC, because event files hold times and host names


def log_writer(name: str) -> SummaryWriter:
    """TensorBoard writer into runs/<name>, emptied first so that one folder shows one run."""
    shutil.rmtree(RUNS / name, ignore_errors=True)
    return SummaryWriter(str(RUNS / name))
