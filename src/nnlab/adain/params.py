"""Section `adain` of params.yaml."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator
from ruamel.yaml import YAML, YAMLError

from nnlab.adain.paint_params import ArtParams
from nnlab.adain.picture_params import Alphas, PictureParams
from nnlab.errors import UserError
from nnlab.params import Section

KINDS = ("content", "style")  # the two sets of pictures
ASSIGNED_ITERATIONS = 10_000  # the assignment asks for at least so many
MOST_PIXELS = 16_384  # of a shorter side: more is a slip of the finger, and more memory than machines have

Fraction = Annotated[float, Field(gt=0, le=1)]


class AdainNormaliseParams(Section):
    """How the normalised encoder is made from the plain VGG19."""

    photo_side: int = Field(ge=32, le=1024)


class AdainPrepareParams(Section):
    """How an image set is packed for training."""

    short_side: int = Field(ge=64, le=4096)
    quality: int = Field(ge=50, le=100)
    least: int = Field(ge=1)


def _check_crop(crop: int, resize: int) -> None:
    if crop > resize:
        raise ValueError(f"crop = {crop} is larger than resize = {resize}: no crop fits into an image")


class FinishParams(Section):
    """The last part of a training, on crops of another size."""

    share: float = Field(ge=0, lt=1)
    crop: int = Field(ge=16, multiple_of=8)
    resize: int = Field(ge=16, le=MOST_PIXELS)

    @model_validator(mode="after")
    def _check(self) -> "FinishParams":
        _check_crop(self.crop, self.resize)
        return self


class AdainTrainParams(Section):
    """What the decoder is trained on and how."""

    content: str = Field(min_length=1)
    style: str = Field(min_length=1)
    max_iter: int = Field(ge=1, le=100_000_000)
    batch_size: int = Field(ge=1, le=65_536)
    partners: int = Field(ge=1, le=64)
    crop: int = Field(ge=16, multiple_of=8)
    resize: int = Field(ge=16, le=MOST_PIXELS)
    finish: FinishParams
    learning_rate: float = Field(gt=0)
    schedule: Literal["reference", "cosine"]
    warmup: int = Field(ge=0)
    beta2: float = Field(gt=0, lt=1)
    average: float = Field(ge=0, lt=1)
    content_weight: float = Field(ge=0)
    style_weight: float = Field(ge=0)
    checkpoint_fractions: list[Fraction] = Field(min_length=1)
    held_out_pairs: int = Field(ge=1, le=65_536)
    log_every: int = Field(ge=1)
    seed: int = Field(ge=0)

    @model_validator(mode="after")
    def _check(self) -> "AdainTrainParams":
        _check_crop(self.crop, self.resize)
        if list(self.checkpoint_fractions) != sorted(set(self.checkpoint_fractions)):
            raise ValueError("checkpoint_fractions must rise")
        if any(abs(100 * part - round(100 * part)) > 1e-9 for part in self.checkpoint_fractions):
            raise ValueError("checkpoint_fractions must be whole percents, such as 0.25")
        if self.checkpoint_fractions[-1] != 1:
            raise ValueError("checkpoint_fractions must end with 1.0, the final decoder")
        return self


class AdainRunParams(Section):
    """How the training runs, not what it computes; not tracked by DVC."""

    processes: int = Field(ge=1, le=1024)
    workers: int = Field(ge=0, le=1024)
    save_every: int = Field(ge=1)
    cache_mib: int = Field(ge=0)
    compile: bool


class AdainEvaluateParams(Section):
    """How the checkpoints are judged."""

    side: int = Field(ge=16, le=MOST_PIXELS, multiple_of=8)


class AdainParams(Section):
    """The whole section."""

    art: ArtParams
    normalise: AdainNormaliseParams
    prepare: AdainPrepareParams
    train: AdainTrainParams
    run: AdainRunParams
    evaluate: AdainEvaluateParams
    pictures: PictureParams
    alpha: Alphas

    @model_validator(mode="after")
    def _check(self) -> "AdainParams":
        batch, processes = self.train.batch_size, self.run.processes
        if batch % processes:
            raise ValueError(
                f"train.batch_size = {batch} must be a multiple of run.processes = {processes}; "
                "each process takes an equal part of a batch"
            )
        return self


def check_outs(fractions: list[float], graph: Path = Path("dvc.yaml")) -> None:
    """UserError if `graph` exports other checkpoints than those that training would keep: told before it, not after."""
    try:
        outs = YAML(typ="safe").load(graph.read_text(encoding="utf-8"))["stages"]["adain_export"]["outs"]
        named = [int(Path(str(out)).stem.rpartition("_")[2]) for out in outs]
    except (OSError, YAMLError, KeyError, TypeError, ValueError):
        return  # not run by DVC, or a graph that only DVC understands: the export checks again
    if named != [round(100 * part) for part in fractions]:
        raise UserError(
            f"adain.train.checkpoint_fractions = {fractions}: the outs of adain_export in {graph} are the checkpoints "
            f"at {', '.join(map(str, named))} %; write {[part / 100 for part in named]}, or change those outs, the "
            "cmd of adain_export and what reads them"
        )
