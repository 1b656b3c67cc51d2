"""Small sets of pictures and settings that several tests train with."""

import io

import numpy as np
from PIL import Image

from nnlab.data.containers import Picture
from nnlab.data.packing import pack
from nnlab.params import AdainTrainParams

SMALL = {
    "max_iter": 12, "batch_size": 2, "partners": 2, "crop": 16, "resize": 64,
    "finish": {"share": 0.3, "crop": 32, "resize": 64},
    "warmup": 2, "log_every": 3, "held_out_pairs": 2,
}  # fmt: skip


def settings(**changed):
    """Parameters of a training, as in params.yaml but for what is given."""
    values = {
        "content": "sample", "style": "sample", "max_iter": 100, "batch_size": 4, "partners": 1, "crop": 64,
        "resize": 128, "finish": {"share": 0, "crop": 64, "resize": 128},
        "learning_rate": 1e-3, "schedule": "cosine", "warmup": 10, "beta2": 0.999, "average": 0.9,
        "content_weight": 1.0, "style_weight": 10.0, "checkpoint_fractions": [0.1, 0.5, 0.8, 1.0],
        "held_out_pairs": 4, "log_every": 10, "seed": 1,
    }  # fmt: skip
    return AdainTrainParams(**{**values, **changed})


def make_pools(folder, count=12):
    """Pack random pictures; return the content and the style set's folders."""
    for number, kind in enumerate(("content", "style")):
        draws = np.random.default_rng(number)
        pictures = []
        for index in range(count):
            buffer = io.BytesIO()
            noise = draws.integers(0, 256, (8, 10, 3), dtype=np.uint8)
            Image.fromarray(noise).resize((80, 64), Image.Resampling.BICUBIC).save(buffer, "PNG")
            pictures.append(Picture(f"{index}.png", buffer.getvalue()))
        pack(pictures, folder / kind, 64)
    return folder / "content", folder / "style"
