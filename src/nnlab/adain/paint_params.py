"""Section `adain.art` of params.yaml."""

from pydantic import Field

from nnlab.params import Section

# Their names alone, so that a parameter can be checked without the painters, which are slow to import.
MANNERS = (
    "oil", "classical", "impressionist", "swirling", "pointillist", "knife", "fauve", "pastel", "watercolour",
    "ink_wash", "gouache", "woodblock", "engraving", "sketch", "woodcut", "mosaic", "stained_glass", "facets",
    "marbled", "ornament", "geometric",
)  # fmt: skip


class ArtParams(Section):
    """The generated paintings."""

    seed: int = Field(ge=0)
    pictures: int = Field(ge=len(MANNERS), le=10_000)  # each manner once: later stages draw in any of them
    size: int = Field(ge=64, le=1024)
