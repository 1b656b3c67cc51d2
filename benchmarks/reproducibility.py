"""How far results are apart when they are computed in another way: the figures of docs/reproducibility.md.

    python benchmarks/reproducibility.py FOLDER

FOLDER is a finished run at reduced settings (`make quick`, kept: python tests/quick.py --keep). The training stages run
again beside it: in the same way, with another number of threads, another precision, and with the instruction sets of
an older CPU. No times are measured, so other work on the machine does no harm.
"""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[1] / "src")]

from nnlab import verify  # noqa: E402 (a script is found by its own folder, not by the project's)
from tests import quick  # noqa: E402
from tests.faults.harness import Job, hashes, jobs  # noqa: E402

STAGES = (
    "fashion_train", "fashion_evaluate", "autoencoder_train", "autoencoder_evaluate", "denoiser_train",
    "denoiser_evaluate", "gatys_stylize@main", "gatys_stylize@layers", "gatys_figures", "adain_train", "adain_export",
    "adain_evaluate",
)  # fmt: skip
OLD_CPU = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}
FLOAT32, BFLOAT16 = {"hardware.precision": "float32"}, {"hardware.precision": "bfloat16"}
WAYS: dict[str, tuple[dict[str, str], dict[str, str]]] = {  # name: environment, parameters
    "float32, 2 threads": ({"OMP_NUM_THREADS": "2"}, FLOAT32),
    "the same again": ({"OMP_NUM_THREADS": "2"}, FLOAT32),
    "1 thread": ({"OMP_NUM_THREADS": "1"}, FLOAT32),
    "CPU without AVX-512": ({"OMP_NUM_THREADS": "2", **OLD_CPU}, FLOAT32),
    "bfloat16": ({"OMP_NUM_THREADS": "2"}, BFLOAT16),
}


def run(finished: Path, root: Path, chain: list[Job], way: str) -> Path:
    """Run the stages of `chain` in a folder of their own, on links to the inputs that other stages made."""
    environment, parameters = WAYS[way]
    tree = root / way.replace(" ", "-").replace(",", "")
    made = {name for job in chain for name in job.outputs}
    for name in {"src", "stages", *(name for job in chain for name in job.inputs)} - made:
        if not any(name.startswith(f"{out}/") or out.startswith(f"{name}/") for out in made):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).symlink_to(finished / name)
    (tree / "params.yaml").write_text((finished / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    quick.override(tree / "params.yaml", parameters)
    for job in chain:
        print(f"{way}: {job.name}", file=sys.stderr, flush=True)
        command = [sys.executable, *shlex.split(job.command)[1:]]
        variables = {**quick.environment(tree), **environment}
        subprocess.run(command, cwd=tree / job.folder, env=variables, check=True, capture_output=True)
    return tree


def compare(first: Path, other: Path, chain: list[Job]) -> list[tuple[str, str, str]]:
    """For each experiment: its name, whether all its files are the same, and the worst number of its metrics."""
    rows = []
    for name in ("fashion", "autoencoder", "denoiser", "gatys", "adain"):
        outputs = [out for job in chain if job.name.startswith(name) for out in job.outputs]
        same = all(hashes(first / out) == hashes(other / out) for out in outputs)
        metrics = f"metrics/{name}.json"
        found = verify.compare_file(metrics, (first / metrics).read_text(encoding="utf-8"), other / metrics)
        worst = f"{100 * found.difference:.2g} % ({found.worst})" if found.worst else "0"
        rows.append((name, "identical" if same else "different", worst))
    return rows


def main() -> None:
    """Print a Markdown table."""
    finished = Path(sys.argv[1]).resolve()
    known = jobs(finished)
    chain = [known[name] for name in STAGES]
    print("| against float32 with 2 threads | experiment | files | largest difference of a metric |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="nnlab-ways-", dir=os.environ.get("TMPDIR")) as folder:
        first, *others = WAYS
        base = run(finished, Path(folder), chain, first)
        for way in others:
            for row in compare(base, run(finished, Path(folder), chain, way), chain):
                print(f"| {way} | {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
