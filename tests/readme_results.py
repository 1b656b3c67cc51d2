"""The README's column of results: `python tests/readme_results.py` writes it into both READMEs.

It takes the workspace's metrics, before they are committed; the tests take git's HEAD's, because machines round apart.
"""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
READMES = ("README.md", "README.zh.md")
ROWS = re.compile(r"(<!-- results.*?\|---\|---\|\n)(.*?)(\n\n<!-- end of results -->)", re.DOTALL)


def here(name: str) -> str:
    """The text of the workspace's file, by its path from the project's folder."""
    return (ROOT / name).read_text(encoding="utf-8")


def committed(name: str) -> str:
    """That of git's HEAD; CalledProcessError where there is no such file or no repository."""
    command = ["git", "show", f"HEAD:{name}"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode("utf-8")


def results(read: Callable[[str], str]) -> list[str]:
    """What stands in the table's rows, from top to bottom."""
    names = ("fashion", "fashion_variants", "autoencoder", "denoiser", "gatys", "adain")
    fashion, variants, autoencoder, denoiser, gatys, adain = (json.loads(read(f"metrics/{x}.json")) for x in names)
    drawn = gatys.get("main") or next(iter(gatys.values()))  # a user's jobs may have other names
    best = max(variants, key=lambda name: variants[name]["test_accuracy"])
    return [
        f"{fashion['test_accuracy']:.2%}",
        f"{variants[best]['test_accuracy']:.2%} (`{best}`)",
        f"{autoencoder['test_bce']:.4f}",
        f"{autoencoder['knn_accuracy']:.1%}",
        f"{denoiser['noisy_psnr_db']:.1f} → {denoiser['denoised_psnr_db']:.1f} dB",
        f"{drawn['content_loss']:.4g} + {drawn['style_loss']:.4g}",
        f"{adain['heldout_content_loss']:.2f} + {adain['heldout_style_loss']:.2f}",
        f"{adain['heldout_edges']:.2f}, {adain['heldout_psnr_at_alpha_0']:.1f} dB",
    ]


def with_results(text: str, read: Callable[[str], str]) -> str:
    """A README's `text` with the results of these metrics."""
    before, rows, after = ROWS.search(text).groups()
    labels = [row.rsplit("|", 2)[0] for row in rows.splitlines()]
    new = [f"{label}| {result} |" for label, result in zip(labels, results(read), strict=True)]
    return text.replace(before + rows + after, before + "\n".join(new) + after)


if __name__ == "__main__":
    for readme in READMES:
        (ROOT / readme).write_text(with_results(here(readme), here), encoding="utf-8")
