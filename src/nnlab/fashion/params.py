"""The `fashion` section of params.yaml: one network, its training, and variants to compare."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from nnlab.params import Section

Width = Annotated[int, Field(ge=1, le=8192)]
Group = Annotated[list[Width], Field(min_length=1, max_length=8)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]


class NetworkParams(Section):
    """A network and its training. Units and meaning of each key are in params.yaml."""

    hidden: list[Width] = Field(max_length=16)
    convolutions: list[Group] = Field(max_length=4)  # 28 pixels can be halved four times
    epochs: int = Field(ge=1, le=1000)
    batch_size: int = Field(ge=2, le=60_000)
    learning_rate: float = Field(gt=0, le=1)
    weight_decay: float = Field(ge=0, le=10)
    augment_flip: bool
    seed: int = Field(ge=0, le=2**32 - 1)


class FashionParams(NetworkParams):
    """The main network; variants are complete: the training keys that one leaves out are those of the section."""

    variants: dict[Name, NetworkParams] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: Any) -> Any:
        """Lay every variant over the section's training keys; a variant's layers are its own, none where not named."""
        variants = values.get("variants") if isinstance(values, dict) else None
        if not isinstance(variants, dict):
            return values
        layers: dict[str, list] = {"hidden": [], "convolutions": []}
        shared = {key: values[key] for key in NetworkParams.model_fields if key in values and key not in layers}
        complete = {
            name: {**layers, **shared, **variant} if isinstance(variant, dict) else variant
            for name, variant in variants.items()
        }
        return {**values, "variants": complete}
