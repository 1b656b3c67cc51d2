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

BOUNDED = ("gatys_figures", "adain_export", "fetch_pictures", "report_web")
ORIGIN = "says where the data came from: the reports quote it"
# Stages, files that they do without, and why, as patterns. A damage to any other file must be told.
UNREAD = [
    ("(fashion|autoencoder|denoiser)_.*|gatys_stylize@.*|adain_normalise",
     "data/raw/(mnist|fashion_mnist|vgg19)/provenance.json", ORIGIN),
    ("adain_normalise|fetch_pictures", "data/raw/(samples|gcompris)/provenance.json", ORIGIN),
    ("(fashion|denoiser)_evaluate", "data/raw/.*/train-.*", "the test images alone are judged"),
    ("adain_prepare@.*", "data/raw/pictures/.*", "a damaged picture is left out and listed"),
    ("adain_(train|evaluate)", "data/pools/.*/(left_out.csv|summary.json)", "for people and the reports"),
    ("adain_export", "data/models/adain/training/.*", "copies what is there; those that draw with it look into it"),
    ("fetch_pair", "data/raw/pictures/p.*/(?!germany_schwerin|portrait_of_pere).*", "one of each stands in"),
    ("adain_photos", "data/raw/pictures/p.*/(?!france_pont|erase_red).*|data/raw/pair/content.jpg", "two are drawn"),
    ("adain_alpha", "data/raw/pictures/p.*/(?!france_pont|the_great_wave).*|data/raw/pair/.*", "one is drawn"),
    ("adain_(photos|alpha)", "data/photos/README.md", "no photo"),
    ("report_(web|pdf)", "plots/fashion/variants.csv|data/results/gatys/.*/(info.json|losses.csv)",
     "the metrics and the other tables hold the same"),
    ("report_web", "plots/.*(loss|losses|accuracy|per_class|confusion|grid|latent|result|snapshots).png",
     "the page draws these itself"),
    ("report_pdf", "data/results/(adain/checkpoints|gatys/.*/snapshot_).*", "its figures are those of plots/"),
    ("report_pack", ".*", "packs what it finds"),
]  # fmt: skip
# The same for inputs that are not there at all.
SPARED = [
    ("adain_alpha", "data/raw/pair", "alpha_style: the_great_wave_off_kanagawa"),
    ("report_pack", "(?!report/|params).*", "packs what it finds"),
]


def listed(table: list[tuple[str, str, str]], name: str, file: str) -> bool:
    return any(re.fullmatch(stages, name) and re.fullmatch(files, file) for stages, files, _ in table)


def stage_names() -> list[str]:
    from tests.test_pipeline import stages

    return sorted(name.rsplit(":", 1)[-1] for name in stages())


def inputs(place: Workplace) -> list[str]:
    """The inputs to damage, a few of them unless in full: links (report_pack has a folder of links for a folder)."""
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
