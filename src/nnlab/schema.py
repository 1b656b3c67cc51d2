"""The whole of params.yaml: one section per experiment, each defined beside its consumer.

Every stage checks the whole file before it starts, so that a mistake in a late section stops the run at once, not after
the training of an early one.
"""

from pathlib import Path
from typing import Literal

from nnlab.adain.params import AdainParams
from nnlab.autoencoder.params import AutoencoderParams, DenoiserParams
from nnlab.fashion.params import FashionParams
from nnlab.gatys.params import GatysParams
from nnlab.params import Section, load
from nnlab.report.params import ReportParams
from nnlab.vgg_params import VggParams


class HardwareParams(Section):
    """Where a run computes; not tracked by DVC, because it does not change what is computed."""

    device: str
    precision: Literal["auto", "float32", "bfloat16"]


class SourcesParams(Section):
    """Where files are fetched from before the official sources are asked."""

    mirror: str


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
