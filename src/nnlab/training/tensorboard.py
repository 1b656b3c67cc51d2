"""Where curves and pictures go that TensorBoard shows. Apart from `progress`, because it imports torch."""

import os
import shutil
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

RUNS = Path("runs")  # not tracked by DVC, because event files hold times and host names


def log_writer(name: str) -> SummaryWriter:
    """TensorBoard writer into runs/<name>, emptied first so that one folder shows one run.

    Queued experiments and those in `--temp` run in folders that DVC removes: theirs is runs/<experiment>/<name> in the
    project's own folder, which DVC_ROOT names.
    """
    folder, project = RUNS / name, Path(os.environ.get("DVC_ROOT", ""))
    if not project.samefile(""):
        folder = project / RUNS / os.environ.get("DVC_EXP_NAME", "") / name
    shutil.rmtree(folder, ignore_errors=True)
    return SummaryWriter(str(folder))
