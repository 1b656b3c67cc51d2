"""Settings below the full ones, said plainly: what counts as full in the reports."""

from nnlab.report.document import Say

# What the assignment asks for.
FASHION_EPOCHS = 5
ADAIN_ITERATIONS = 10_000  # AdaIN's own ASSIGNED_ITERATIONS; experiments import nothing from each other
# Where the assignment names no number: what the project's params.yaml comes with, and its results are from.
AUTOENCODER_EPOCHS = 25
DENOISER_EPOCHS = 15
GATYS_ITERATIONS = 400
GATYS_SIZE = 320  # pixels on the longer side


def warn(what: tuple[str, str], found: int, full: int, unit: tuple[str, str], key: str, say: Say) -> list[str]:
    """A line if `found` is less than the project's own default; `what` and `unit` are (Chinese, English)."""
    if found >= full:
        return []
    return [
        say(
            f"{what[0]}使用了缩减的设置：{found:,} {unit[0]}，默认为 {full:,} {unit[0]}（params.yaml 中的 {key}）。",
            f"{what[1]} ran at reduced settings: {found:,} {unit[1]}, the default is {full:,} ({key} in params.yaml).",
        )
    ]
