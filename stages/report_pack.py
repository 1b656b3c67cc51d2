"""Pack code and report into the zip to hand in."""

from pathlib import Path

from nnlab.stage import run


def main(page: Path, pdf: Path, out: Path, params: Path = Path("params.yaml")) -> None:
    """Write `out`: the project in the working folder, with both reports."""
    from nnlab.params import load_params
    from nnlab.report.pack import pack

    load_params(params)
    names = pack(Path(), [page, pdf], out)
    print(f"{out}: {len(names)} files, {out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    run(main)
