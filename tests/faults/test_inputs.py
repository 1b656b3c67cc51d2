"""Inputs that are missing, cut, or something else: one line that names them, never a traceback."""

import importlib.util
import random
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from nnlab import stage
from tests.faults.harness import FULL, Workplace

pytestmark = [pytest.mark.faults, pytest.mark.slow]
Make = Callable[..., Workplace]

BOUNDED = ("gatys_figures", "adain_export", "adain_paint")
SPARED = {  # inputs that a stage does without, because only other parameters would make it read them
    ("adain_photos", "data/art"),  # photos_style: pair
    ("adain_alpha", "data/raw/pair"),  # alpha_style: a manner of the art
}


def stage_names() -> list[str]:
    from tests.test_pipeline import stages

    return sorted(name.rsplit(":", 1)[-1] for name in stages() if "report" not in name)


def call(place: Workplace, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Run the stage in this process, which has torch loaded already."""
    script, *arguments = shlex.split(place.job.command)[1:]
    spec = importlib.util.spec_from_file_location(f"stage_{Path(script).stem}", place.root / script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.chdir(place.root / place.job.folder)
    monkeypatch.setenv("NNLAB_MIRROR", str(place.tree / "data/raw"))
    capfd.readouterr()
    code = stage.call(module.main, arguments)
    return code, capfd.readouterr().err


def assert_named(code: int, said: str, name: str) -> None:
    assert code == 1, f"{name} was damaged, and the stage did not mind: {said}"
    last = said.strip().splitlines()[-1]
    assert ": error: " in last
    assert name in last, f"{name} is not named: {last}"
    assert len(last) < 1500


@pytest.mark.parametrize("name", stage_names() if FULL else BOUNDED)
def test_a_missing_input_is_named(
    name: str, workplace: Make, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    place = workplace(name)
    for missing in place.job.inputs:
        (place.root / missing).unlink()
        code, said = call(place, monkeypatch, capfd)
        if (name, missing) in SPARED:
            assert code == 0, said
        else:
            assert_named(code, said, missing)
        (place.root / missing).symlink_to(place.tree / missing)


@pytest.mark.parametrize("name", stage_names() if FULL else BOUNDED)
def test_a_damaged_input_never_ends_in_a_traceback(
    name: str, workplace: Make, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Files cut at random lengths, emptied, or replaced by something else. What cannot be noticed may pass."""
    draw = random.Random(name)
    place = workplace(name)
    for damaged in place.job.inputs:
        copy = place.replace_input(damaged)
        files = sorted(p for p in copy.rglob("*") if p.is_file()) if copy.is_dir() else [copy]
        for file in draw.sample(files, min(len(files), 4 if FULL else 1)):
            whole = file.read_bytes()
            for content in (whole[: draw.randrange(len(whole) + 1)], b"", b"\x89PNG junk \xff\x00" * 40):
                file.write_bytes(content)
                code, said = call(place, monkeypatch, capfd)
                if code:
                    assert_named(code, said, damaged)
            file.write_bytes(whole)
