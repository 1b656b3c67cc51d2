"""The `autoencoder` and `denoiser` sections of params.yaml."""

from typing import Annotated

from pydantic import Field

from nnlab.params import Section

Width = Annotated[int, Field(ge=1, le=8192)]


class AutoencoderParams(Section):
    """A mirrored pair of networks and its training. Units and meaning of each key are in params.yaml."""

    hidden: list[Width] = Field(max_length=16)
    epochs: int = Field(ge=1, le=1000)
    batch_size: int = Field(ge=1, le=60_000)
    learning_rate: float = Field(gt=0, le=1)
    weight_decay: float = Field(ge=0, le=10)
    seed: int = Field(ge=0, le=2**32 - 1)


class DenoiserParams(AutoencoderParams):
    """An autoencoder with a wider code that is shown noisy images."""

    code: Width
    noise_factor: float = Field(ge=0, le=10)
