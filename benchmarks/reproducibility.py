"""How far results are apart when they are computed in another way: the figures of docs/reproducibility.md.

    python benchmarks/reproducibility.py FOLDER

FOLDER is a finished run at reduced settings (`make quick`, kept: python tests/quick.py --keep). The training stages run
again beside it: in the same way, with another number of threads, with the instruction sets of an older CPU, in the
other precision alone (where the machine is fast at it), and on a GPU in both precisions (where there is one). No times
are measured, so other work on the machine does no harm.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[1] / "src")]

import pandas  # noqa: E402 (a script is found by its own folder, not by the project's)
import torch  # noqa: E402

from nnlab.training.device import pick_precision  # noqa: E402
from tests import quick  # noqa: E402

STAGES = (
    "fashion_train", "fashion_evaluate", "autoencoder_train@autoencoder", "autoencoder_evaluate",
    "autoencoder_train@denoiser", "denoiser_evaluate", "gatys_stylize@main", "gatys_stylize@layers",
    "gatys_figures", "adain_train", "adain_evaluate",
)  # fmt: skip
OLD_CPUS = {  # without: what PyTorch, oneDNN and MKL are told to do with instead
    "AVX-512": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    "AVX2": {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"},
}
Way = tuple[dict[str, str], dict[str, str]]  # environment, parameters


def ways() -> dict[str, Way]:
    """Name -> how this machine can compute, the one to compare with first."""
    two_threads = {"OMP_NUM_THREADS": "2"}
    float32 = {"hardware.device": "cpu", "hardware.precision": "float32"}
    bfloat16 = {"hardware.precision": "bfloat16"}
    newest = "AVX-512" if "AVX512" in torch.backends.cpu.get_cpu_capability() else "AVX2"
    known = {
        "float32, 2 threads": (two_threads, float32),
        "the same again": (two_threads, float32),
        "1 thread": ({"OMP_NUM_THREADS": "1"}, float32),
        f"CPU without {newest}": ({**two_threads, **OLD_CPUS[newest]}, float32),
    }
    if pick_precision("auto", torch.device("cpu")) is torch.bfloat16:  # else one convolution takes minutes
        known["bfloat16"] = (two_threads, float32 | bfloat16)
    if torch.cuda.is_available():
        gpu = float32 | {"hardware.device": "cuda"}
        known["GPU"] = (two_threads, gpu)
        known["GPU, bfloat16"] = (two_threads, gpu | bfloat16)
    return known


def run(finished: Path, root: Path, chain: dict[str, Any], name: str, way: Way) -> Path:
    """Run the stages of `chain` in a folder of their own, on links to the inputs that other stages made."""
    environment, parameters = way
    tree = root / name.replace(" ", "-").replace(",", "")
    made = {out.def_path for stage in chain.values() for out in stage.outs}
    read = {dep.def_path for stage in chain.values() for dep in stage.deps if dep.def_path.startswith("data/")}
    for path in {"src", "stages", *read} - made:
        if not any(path.startswith(f"{out}/") or out.startswith(f"{path}/") for out in made):
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).symlink_to(finished / path)
    (tree / "params.yaml").write_text((finished / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    quick.override(tree / "params.yaml", parameters)
    for key, stage in chain.items():
        print(f"{name}: {key}", file=sys.stderr, flush=True)
        command = [sys.executable, *shlex.split(stage.cmd.replace("$DVC_STAGE", key))[1:]]
        variables = {**quick.environment(tree), **environment}
        subprocess.run(command, cwd=tree, env=variables, check=True, capture_output=True)
    return tree


def compare(first: Path, other: Path, chain: dict[str, Any]) -> list[tuple[str, str, str]]:
    """For each experiment: its name, whether all its files are the same, and the worst number of its metrics."""
    rows = []
    for name in ("fashion", "autoencoder", "denoiser", "gatys", "adain"):
        outs = [out.def_path for stage in chain.values() for out in stage.outs if f"/{name}" in out.def_path]
        same = all(quick.hashes(first / out) == quick.hashes(other / out) for out in outs)
        before, now = (numbers(tree / f"metrics/{name}.json") for tree in (first, other))
        gaps = {key: abs(now[key] - value) / abs(value) if value else 0.0 for key, value in before.items()}
        worst = max(gaps, key=lambda key: gaps[key])
        rows.append(
            (name, "identical" if same else "different", f"{gaps[worst]:.2%} ({worst})" if gaps[worst] else "0")
        )
    return rows


def numbers(path: Path) -> dict[str, float]:
    """The floats of a metrics file by their dotted names, but edges: a correlation is near 0 after few iterations."""
    table = pandas.json_normalize(json.loads(path.read_text(encoding="utf-8")))
    return {key: value for key, value in table.iloc[0].items() if isinstance(value, float) and "edges" not in key}


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("finished", type=Path, metavar="FOLDER", help="a finished run at reduced settings")
    finished = parser.parse_args().finished.resolve()
    known = quick.resolved(finished)
    chain = {name: known[name] for name in STAGES}
    print("| against float32 with 2 threads | experiment | files | largest difference of a metric |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="nnlab-ways-", dir=os.environ.get("TMPDIR")) as folder:
        (first, as_now), *others = ways().items()
        base = run(finished, Path(folder), chain, first, as_now)
        for name, way in others:
            for row in compare(base, run(finished, Path(folder), chain, name, way), chain):
                print(f"| {name} | {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
