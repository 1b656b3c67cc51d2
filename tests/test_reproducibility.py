"""The same parameters give the same bytes, in another folder and on another day."""

from pathlib import Path

import pytest

from nnlab.files import sha256
from tests import quick
from tests.test_pipeline import stages


def results(tree: Path) -> dict[str, str]:
    """SHA-256 of every file that a stage declares as its result, by name."""
    found = {}
    for stage in stages().values():
        for out in stage.outs:
            root = tree / Path(out.fs_path).relative_to(Path(quick.ROOT).resolve())
            files = sorted(p for p in root.rglob("*") if p.is_file()) if root.is_dir() else [root]
            found |= {str(file.relative_to(tree)): sha256(file) for file in files}
    return found


@pytest.mark.slow
def test_the_whole_pipeline_twice_gives_the_same_bytes(quick_run: quick.QuickRun, tmp_path: Path) -> None:
    """In a second folder with another name, without a cache: every result of every stage has the same hash."""
    first, second = quick_run.tree, tmp_path / "other"
    quick.copy_tree(second)
    run = quick.repro(second)
    assert run.returncode == 0, run.stdout[-4000:]
    before, after = results(first), results(second)
    assert before.keys() == after.keys()
    different = sorted(name for name in before if before[name] != after[name])
    assert not different, f"{len(different)} of {len(before)} results differ: {', '.join(different[:20])}"
    assert len(before) > 50
