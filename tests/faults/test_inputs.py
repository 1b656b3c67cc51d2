"""Inputs that are missing, cut, or something else: one line that names them, never a traceback."""

import importlib.util
import random
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from nnlab import stage
from tests.faults.harness import FULL, Workplace

pytestmark = [pytest.mark.faults, pytest.mark.slow]
Make = Callable[..., Workplace]

BOUNDED = ("gatys_figures", "adain_export", "adain_paint", "report_build")
ORIGIN = "says where the data came from: the reports quote it"
# Stages, files that they do without, and why, as patterns. A damage to any other file must be told.
UNREAD = [
    ("(fashion|autoencoder|denoiser)_.*|gatys_stylize@.*|adain_normalise",
     "data/raw/(mnist|fashion_mnist|vgg19)/provenance.json", ORIGIN),
    ("adain_(normalise|paint|prepare@content|photos|alpha)|fetch_pair", "data/raw/samples/provenance.json", ORIGIN),
    ("(fashion|denoiser)_evaluate", "data/raw/.*/train-.*", "the test images alone are judged"),
    ("adain_prepare@.*", "data/(raw/samples/photos|art)/.*", "a damaged picture is left out and listed"),
    ("adain_(train|evaluate)", "data/pools/.*/(left_out.csv|summary.json)", "for people and the reports"),
    ("adain_export", "data/models/adain/training/.*", "copies what is there; those that draw with it look into it"),
    ("fetch_pair", "data/raw/samples/photos/(?!china).*|data/art/(?!fauve).*", "one of each stands in"),
    ("adain_photos", "data/raw/samples/photos/(?!china|astronaut).*", "two are drawn"),
    ("adain_photos", "data/raw/pair/content.jpg|data/art/.*", "photos_style: pair"),
    ("adain_alpha", "data/raw/samples/photos/(?!china).*", "one is drawn"),
    ("adain_alpha", "data/raw/pair/.*|data/art/(?!pastel).*", "alpha_style: pastel"),
    ("adain_(photos|alpha)", "data/photos/README.md", "no photo"),
    ("report_build", "plots/fashion/variants.csv|data/results/gatys/.*/(info.json|losses.csv)",
     "the metrics and the other tables hold the same"),
]  # fmt: skip
# The same for inputs that are not there at all.
SPARED = [
    ("adain_photos", "data/art", "photos_style: pair"),
    ("adain_alpha", "data/raw/pair", "alpha_style: pastel"),
    ("report_build", "data/raw/pictures/provenance.csv", "one's own pictures need none"),
]


def listed(table: list[tuple[str, str, str]], name: str, file: str) -> bool:
    return any(re.fullmatch(stages, name) and re.fullmatch(files, file) for stages, files, _ in table)


def stage_names() -> list[str]:
    from tests.test_pipeline import stages

    return sorted(name.rsplit(":", 1)[-1] for name in stages())


def inputs(place: Workplace) -> list[str]:
    """The inputs to damage, a few of them unless in full."""
    found = [name for name in place.job.inputs if (place.root / name).is_symlink()]
    return found if FULL else random.Random(place.job.name).sample(found, min(len(found), 5))


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
    for missing in inputs(place):
        (place.root / missing).unlink()
        code, said = call(place, monkeypatch, capfd)
        if listed(SPARED, name, missing):
            assert code == 0, said
        else:
            assert_named(code, said, missing)
        (place.root / missing).symlink_to(place.tree / missing)


@pytest.mark.parametrize("name", stage_names() if FULL else BOUNDED)
def test_a_damaged_input_is_refused(
    name: str, workplace: Make, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Files emptied, replaced by something else, or cut at random lengths, which may pass where nobody can notice."""
    draw = random.Random(name)
    place = workplace(name)
    for damaged in inputs(place):
        copy = place.replace_input(damaged)
        files = sorted(p for p in copy.rglob("*") if p.is_file()) if copy.is_dir() else [copy]
        for file in draw.sample(files, min(len(files), 4 if FULL else 1)):
            whole = file.read_bytes()
            cut = whole[: draw.randrange(len(whole) + 1)]
            for content in (cut, b"", b"\x89PNG junk \xff\x00" * 40):
                file.write_bytes(content)
                code, said = call(place, monkeypatch, capfd)
                if code or not (content is cut or listed(UNREAD, name, file.relative_to(place.root).as_posix())):
                    assert_named(code, said, damaged)
            file.write_bytes(whole)
