"""Section `adain.art` of params.yaml."""

from pydantic import Field

from nnlab.params import Section


class ArtParams(Section):
    """The generated paintings."""

    seed: int = Field(ge=0)
    pictures: int = Field(ge=1, le=10_000)
    size: int = Field(ge=64, le=1024)
