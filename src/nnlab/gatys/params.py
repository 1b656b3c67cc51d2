"""The `gatys` section of params.yaml: named jobs, each a pair of pictures with its layers, weights and optimiser."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from nnlab.errors import UserError
from nnlab.params import Section
from nnlab.vgg_layers import canonical


def _layer(name: str) -> str:
    """Canonical layer name; pydantic wants a ValueError for an unknown one."""
    try:
        return canonical(name)
    except UserError as error:
        raise ValueError(str(error)) from None


def _once(layers: list[str]) -> list[str]:
    if len(set(layers)) != len(layers):
        raise ValueError("a layer is named twice")
    return layers


Layer = Annotated[str, AfterValidator(_layer)]
Layers = Annotated[list[Layer], AfterValidator(_once)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
Path = Annotated[str, Field(min_length=1)]
Weight = Annotated[float, Field(ge=0, le=1e12)]


class CommonParams(Section):
    """What jobs share unless they say otherwise. Units and meaning of each key are in params.yaml."""

    start: Path
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
    seed: int = Field(ge=0, le=2**32 - 1)


class JobParams(CommonParams):
    """One picture to paint: its pictures and layers, and all that is common."""

    content: Path
    style: Path
    content_layers: Layers
    style_layers: Layers

    @model_validator(mode="after")
    def _has_a_loss(self) -> "JobParams":
        content = self.content_weight and any(self.content_layer_weights.get(x, 1.0) for x in self.content_layers)
        style = self.style_weight and any(self.style_layer_weights.get(x, 1.0) for x in self.style_layers)
        if not content and not style:
            raise ValueError("nothing to optimise: name a content or a style layer with a weight above 0")
        return self


class GatysParams(Section):
    """Jobs by name; each is complete: keys that a job leaves out are taken from `common`."""

    common: CommonParams
    jobs: dict[Name, JobParams] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: Any) -> Any:
        """Lay every job over `common`; what is no mapping is left for the checks that follow."""
        common, jobs = (values.get(key) if isinstance(values, dict) else None for key in ("common", "jobs"))
        if not isinstance(common, dict) or not isinstance(jobs, dict):
            return values
        complete = {name: {**common, **job} if isinstance(job, dict) else job for name, job in jobs.items()}
        return {**values, "jobs": complete}
