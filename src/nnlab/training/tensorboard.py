"""Where curves and pictures go that TensorBoard shows. Apart from `progress`, because it imports torch."""

import os
import shutil
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from nnlab.training.state import project_of_experiment

RUNS = Path("runs")  # not tracked by DVC, because event files hold times and host names


def log_writer(name: str) -> SummaryWriter:
    """TensorBoard writer into runs/<name>, emptied first so that one folder shows one run.

    That of a queued experiment, or of one in `--temp`, is runs/<experiment>/<name> in the project's own folder.
    """
    folder = RUNS / name
    if project := project_of_experiment():
        folder = project / RUNS / os.environ.get("DVC_EXP_NAME", "") / name
    shutil.rmtree(folder, ignore_errors=True)
    return SummaryWriter(str(folder))
