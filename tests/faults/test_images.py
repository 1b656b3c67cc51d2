"""Every fault of a picture file, in the content pool, the style pool and the photos, through the stages' code."""

import csv
import importlib.util
from pathlib import Path

import pytest

from nnlab import stage
from nnlab.errors import UserError
from tests import faulty_images, quick
from tests.faults.harness import FULL

pytestmark = pytest.mark.faults
ROOT = Path(__file__).resolve().parents[2]


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
    faulty_images.photo(1, size=(1, 1)).save(given / "one pixel.png")
    (given / "again.jpg").write_bytes((given / "plain.jpg").read_bytes())
    assert run(f"fetch_{kind}", f"raw/{kind}") == 0
    assert run("adain_prepare", f"raw/{kind}", "samples", f"pools/{kind}") == 0

    from nnlab.pools import Pool

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


@pytest.mark.parametrize("seed", range(10 if FULL else 2))
def test_a_faulty_photo_is_named_and_a_sound_one_is_drawn(tmp_path: Path, seed: int) -> None:
    """The stages after training choose and open the user's photos with these two functions."""
    from nnlab.adain.choice import choose_photos
    from nnlab.adain.pictures import open_picture

    (tmp_path / "all").mkdir()
    good = [*faulty_images.sound(tmp_path / "all"), *faulty_images.odd_names(tmp_path / "all")]
    bad = faulty_images.unsound(tmp_path / "all", seed)
    for number, path in enumerate([*good, *bad]):
        photos = tmp_path / f"photos {number}"
        photos.mkdir()
        path.rename(photos / path.name)
        chosen = choose_photos(photos, [], tmp_path / "samples")
        assert chosen.files[0] == photos / path.name
        if path in good:
            assert min(open_picture(chosen.files[0], 64).size) == 64
        else:
            with pytest.raises(UserError) as caught:
                open_picture(chosen.files[0], 64)
            assert path.name in str(caught.value)
            assert "\n" not in str(caught.value)
