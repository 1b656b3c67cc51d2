"""Every fault of a picture file: in both pools and the photos, through the stages' code, and in `nnlab stylize`."""

import csv
import importlib.util
from pathlib import Path

import pytest

from nnlab import stage
from nnlab.cli import main
from nnlab.data.fetch import write_provenance
from tests import faulty_images, quick
from tests.faults.harness import FULL

pytestmark = pytest.mark.faults
ROOT = Path(__file__).resolve().parents[2]
SMALL = 64  # pixels, the shorter side of what is drawn


def run(script: str, *arguments: str) -> int:
    spec = importlib.util.spec_from_file_location(f"stage_{script}", ROOT / "stages" / f"{script}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return stage.call(module.main, list(arguments))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the parameters, whose content and style sets are the folder `given`."""
    (tmp_path / "given").mkdir()
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    given = str(tmp_path / "given")
    quick.override(tmp_path / "params.yaml", {"adain.train.content": given, "adain.train.style": given})
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", ["content", "style"])
def test_a_pool_takes_every_sound_picture_and_lists_the_others(
    project: Path, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    given = project / "given"
    good = [*faulty_images.sound(given), *faulty_images.odd_names(given)]
    bad = faulty_images.unsound(given)
    faulty_images.tiny(given)
    (given / "again.jpg").write_bytes((given / "plain.jpg").read_bytes())
    assert run(f"fetch_{kind}", f"raw/{kind}") == 0
    assert run("adain_prepare", f"raw/{kind}", "samples", f"pools/{kind}") == 0

    from nnlab.data.pools import Pool

    pool = Pool(project / "pools" / kind, resize=64)
    assert len(pool) == len(good)
    for index in range(len(pool)):
        assert min(pool[index].shape[1:]) == 64
    with (project / "pools" / kind / "left_out.csv").open(newline="", encoding="utf-8") as file:
        left_out = {row["name"]: row["reason"] for row in csv.DictReader(file)}
    assert left_out.keys() == {*(path.name for path in bad), "one pixel.png", "plain.jpg"}
    assert left_out["bomb.png"].startswith("too large")
    assert left_out["plain.jpg"].startswith("duplicate")
    assert "Traceback" not in capfd.readouterr().err


def test_a_pool_of_nothing_but_faults_is_refused_in_one_line(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    faulty_images.unsound(project / "given")
    assert run("fetch_content", "raw/content") == 0
    capfd.readouterr()
    assert run("adain_prepare", "raw/content", "samples", "pools/content") == 1
    last = capfd.readouterr().err.strip().splitlines()[-1]
    assert "error: " in last
    assert "0 usable pictures" in last
    assert not (project / "pools/content").exists()


@pytest.fixture
def gallery(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project with a pair, a second photo and the shipped networks, loaded once; every picture is drawn small."""
    from nnlab.adain import command, figures
    from nnlab.adain.shipped import networks
    from nnlab.data.samples import PHOTOS, PORTRAIT

    wanted = {"size": SMALL, "style_size": SMALL, "photos_style": "pair", "alpha_style": "pair"}
    quick.override(project / "params.yaml", {f"adain.pictures.{key}": value for key, value in wanted.items()})
    for number, path in enumerate([project / "pair" / figures.STYLE, project / "samples" / PHOTOS / PORTRAIT]):
        path.parent.mkdir(parents=True)
        faulty_images.photo(50 + number).save(path)
    write_provenance(project / "pair", "pair", "a test's picture", stand_in=False)
    encoder, decoder = networks()
    monkeypatch.setattr(figures, "load_encoder", lambda path: encoder)
    monkeypatch.setattr(figures, "load_decoder", lambda path: decoder)
    monkeypatch.setattr(command, "networks", lambda *given: (encoder, decoder))
    return project


@pytest.mark.parametrize("seed", range(5 if FULL else 1))
@pytest.mark.parametrize("script", ["adain_photos", "adain_alpha"])
def test_a_faulty_photo_is_named_and_a_sound_one_is_drawn(
    gallery: Path, script: str, seed: int, capfd: pytest.CaptureFixture[str]
) -> None:
    from nnlab.adain.shipped import DECODER

    given = gallery / "given"
    good = [*faulty_images.sound(given), *faulty_images.odd_names(given), faulty_images.tiny(given)]
    good = good if FULL else good[-3:]  # a figure takes a second
    bad = faulty_images.unsound(given, seed)
    for number, path in enumerate([*good, *bad]):
        photos = gallery / f"photos {number}"
        photos.mkdir()
        path.rename(photos / path.name)
        drawn = ["drawn.png"] if script == "adain_photos" else ["drawn.png", "drawn"]
        code = run(script, photos.name, "samples", "pair", "art", "encoder", str(DECODER), *drawn)
        said = capfd.readouterr().err
        assert code == (path in bad), f"{path.name}: {said}"
        if path in bad:
            assert_names(path, said)
        else:
            (gallery / "drawn.png").unlink()


def assert_names(path: Path, said: str) -> None:
    """The last line names the file, and no traceback came before it."""
    last = said.strip().splitlines()[-1]
    assert "error: " in last
    assert str(path.name) in last, last
    assert "Traceback" not in said


def stylize(content: Path, style: Path, output: Path) -> int:
    sizes = ["--size", str(SMALL), "--style-size", str(SMALL)]
    return main(["stylize", "--content", str(content), "--style", str(style), "--output", str(output), *sizes])


@pytest.mark.parametrize("seed", range(10 if FULL else 1))
@pytest.mark.parametrize("part", ["content", "style"])
def test_nnlab_stylize_names_a_faulty_file_and_draws_every_sound_one(
    gallery: Path, part: str, seed: int, capfd: pytest.CaptureFixture[str]
) -> None:
    given, other = gallery / "given", gallery / "pair" / "style.jpg"
    good = [*faulty_images.sound(given), *faulty_images.odd_names(given), faulty_images.tiny(given)]
    bad = faulty_images.unsound(given, seed)
    for path in bad:
        assert stylize(*((path, other) if part == "content" else (other, path)), gallery / "drawn.png") == 1
        assert_names(path, capfd.readouterr().err)
        assert not (gallery / "drawn.png").exists()
    results = gallery / "results"
    assert stylize(*((given, other) if part == "content" else (other, given)), results) == 0
    assert len(list(results.iterdir())) == len(good)
    said = capfd.readouterr().err
    assert "Traceback" not in said
    assert all(path.name in said for path in bad)
