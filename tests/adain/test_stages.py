"""The stages after AdaIN's training, on small pictures."""

import importlib.util
import json
import os
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from nnlab.adain.choice import USER_PHOTOS, check_pictures, choose_photos, choose_style, style_note
from nnlab.adain.figures import notes
from nnlab.adain.weights import load_decoder, save_decoder
from nnlab.data.images import save_image
from nnlab.errors import UserError
from nnlab.params import PictureParams
from tests import quick
from tests.adain.reference import image
from tests.pictures import make_gallery

ROOT = Path(__file__).parents[2]


def stage(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / f"stages/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def save(path, seed, width=48, height=36):
    save_image(image(seed, height, width), path)
    return path


@pytest.fixture(scope="module")
def decoders(weight_files, tmp_path_factory):
    folder, decoder = tmp_path_factory.mktemp("decoders"), load_decoder(weight_files[1])
    for percent in (10, 50, 80, 100):
        save_decoder(decoder, folder / f"decoder_{percent}.safetensors", {"iteration": str(percent * 100)})
    return folder


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with params.yaml at small sizes, a pair, a gallery and no photos of the user."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    change({"hardware.device": "cpu", "adain.pictures.size": 32, "adain.pictures.style_size": 32})
    change({"adain.pictures.alpha_style": "composition_viii"})
    save(tmp_path / "pair/content.jpg", 1)
    save(tmp_path / "pair/style.jpg", 2, 36, 48)
    (tmp_path / "pair/provenance.json").write_text(json.dumps({"name": "pair", "stand_in": False, "note": "the pair"}))
    make_gallery(tmp_path / "gallery")
    save(tmp_path / "gallery/photos/held_out/france_pontduGard.webp", 3)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/README.md").write_text("not a photo")
    return tmp_path


def change(values):
    quick.override(Path("params.yaml"), values)


def draw_alphas(project, weight_files, decoders):
    stage("adain_alpha")(
        project / "photos", project / "gallery", project / "pair", weight_files[0],
        decoders / "decoder_100.safetensors", project / "plots/alpha.png", project / "results",
    )  # fmt: skip
    return {path.name: np.asarray(Image.open(path)).astype(int) for path in (project / "results").iterdir()}


def test_checkpoints_are_drawn(project, weight_files, decoders):
    stage("adain_checkpoints")(
        project / "pair", weight_files[0], *(decoders / f"decoder_{p}.safetensors" for p in (10, 50, 80, 100)),
        project / "plots/checkpoints.png", project / "results",
    )  # fmt: skip
    drawn = sorted(path.stem for path in (project / "results").iterdir())
    assert drawn == ["10", "100", "50", "80", "content", "style"]
    assert {Image.open(project / f"results/{name}.png").size for name in ("content", "10", "100")} == {(43, 32)}
    assert Image.open(project / "plots/checkpoints.png").width > 600
    assert [path.name for path in (project / "plots").iterdir()] == ["checkpoints.png"]


def test_two_photos_are_drawn(project, weight_files, decoders):
    arguments = [project / name for name in ("photos", "gallery", "pair")]
    networks = [weight_files[0], decoders / "decoder_100.safetensors"]
    stage("adain_photos")(*arguments, *networks, project / "plots/photos.png")
    with_samples = (project / "plots/photos.png").read_bytes()
    save(project / "photos/me.jpg", 6)
    save(project / "photos/you.png", 7)
    stage("adain_photos")(*arguments, *networks, project / "plots/photos.png")
    assert (project / "plots/photos.png").read_bytes() != with_samples


def test_alphas_are_drawn_beside_the_sliders_steps(project, weight_files, decoders):
    change({"adain.alpha": [0.25, 0.6, 0.333, 0.33]})
    drawn = draw_alphas(project, weight_files, decoders)
    steps = {f"alpha_{step / 10:.2f}.png" for step in range(11)}
    assert set(drawn) == steps | {
        f"{name}.png" for name in ("alpha_0.25", "alpha_0.333", "alpha_0.33", "content", "style")
    }
    apart = [np.abs(drawn[f"alpha_{alpha}.png"] - drawn["alpha_0.00.png"]).mean() for alpha in ("0.25", "0.60", "1.00")]
    assert 0 < apart[0] < apart[1] < apart[2]
    first = (project / "plots/alpha.png").read_bytes()
    change({"adain.alpha": [0.2, 0.5, 0.8]})
    draw_alphas(project, weight_files, decoders)
    assert (project / "plots/alpha.png").read_bytes() != first
    assert not (project / "results/alpha_0.25.png").exists()


@pytest.mark.parametrize("alphas", [[], [1.5], ["much"], 0.5, [0.3, 0.6, 0.3]])
def test_wrong_alphas_are_named(project, weight_files, decoders, alphas):
    change({"adain.alpha": alphas})
    with pytest.raises(UserError, match=r"adain\.alpha"):
        draw_alphas(project, weight_files, decoders)


def names(chosen):
    return [path.name for path in chosen.files]


def test_the_users_photos_come_before_the_samples(project):
    photos, gallery = project / "photos", project / "gallery"
    chosen = choose_photos(photos, [], gallery)
    assert names(chosen) == ["france_pontduGard.webp", "erase_red_panda.webp"]
    assert "Sample photos (Title of france_pontduGard, Title of erase_red_panda)" in chosen.note()
    assert "Sample photo (Title of france_pontduGard)" in chosen.note(1)
    save(photos / "me.jpg", 6)
    one = choose_photos(photos, [], gallery)
    assert names(one) == ["me.jpg", "erase_red_panda.webp"]
    assert one.note(1) == ""
    assert "Sample photo (Title of erase_red_panda)" in one.note()
    save(photos / "also.png", 7)
    save(photos / "z.png", 8)
    assert names(choose_photos(photos, [], gallery)) == ["also.png", "me.jpg"]
    assert choose_photos(photos, [], gallery).note() == ""
    assert names(choose_photos(photos, ["z.png", str(project / "pair/content.jpg")], gallery)) == [
        "z.png",
        "content.jpg",
    ]
    with pytest.raises(UserError, match=r"adain\.pictures\.photos: 'no\.jpg' is neither a file in"):
        choose_photos(photos, ["no.jpg"], gallery)


def test_a_style_is_the_pairs_a_held_out_painting_or_a_file(project):
    pair, gallery = project / "pair/style.jpg", project / "gallery"
    painting = gallery / "paintings/held_out/composition_viii.png"

    def choose(name):
        return choose_style("alpha_style", name, pair, gallery)

    assert choose("pair") == pair
    assert style_note(pair, pair) == ""
    assert choose("composition_viii") == painting
    assert style_note(painting, pair) == "Style: Artist: Title of composition_viii (1887)"
    assert choose(str(project / "pair/content.jpg")).name == "content.jpg"
    with pytest.raises(UserError, match=r"adain\.pictures\.alpha_style = 'cubist': .*composition_viii.*; change it"):
        choose("cubist")
    painting.unlink()
    with pytest.raises(UserError, match=r"gallery: has no picture composition_viii; run"):
        choose("composition_viii")


def test_a_photo_that_would_be_passed_over_is_an_error(project):
    photos, gallery = project / "photos", project / "gallery"
    save(photos / "b.jpg", 6)
    save(photos / "c.jpg", 7)
    for harmless in (".DS_Store", ".cache/x.txt", "b.jpg.dvc", "Thumbs.db"):
        (photos / harmless).parent.mkdir(exist_ok=True)
        (photos / harmless).write_text("x")
    assert names(choose_photos(photos, [], gallery)) == ["b.jpg", "c.jpg"]
    for name in ("IMG_1.heix", "inner/notes.txt", "noending"):
        (photos / name).parent.mkdir(exist_ok=True)
        (photos / name).write_bytes(b"ftypheic")
        with pytest.raises(UserError, match=rf"{name}: no picture that can be read \(\.avif, .*save it as \.jpg"):
            choose_photos(photos, [], gallery)
        assert names(choose_photos(photos, ["c.jpg", "b.jpg"], gallery)) == ["c.jpg", "b.jpg"]
        (photos / name).unlink()


def test_the_line_below_a_figure_names_what_is_not_as_asked(project, decoders):
    whole, short = decoders / "decoder_100.safetensors", decoders / "decoder_10.safetensors"
    assert notes(project / "pair", whole) == ""
    record = {"name": "pair", "stand_in": True, "note": "STAND-IN: oil for Matisse."}
    (project / "pair/provenance.json").write_text(json.dumps(record))
    assert notes(project / "pair", whole) == "STAND-IN: oil for Matisse"
    assert notes(None, short, "Sample") == "Sample. Reduced training: 1,000 iterations instead of 10,000"
    (project / "pair/provenance.json").write_text("{")
    with pytest.raises(UserError, match=r"provenance\.json: missing or damaged"):
        notes(project / "pair", whole)


def test_the_alpha_stage_depends_on_no_other_stages_parameters():
    graph = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    users = [name for name, entry in graph.items() if "adain.alpha" in entry.get("params", [])]
    assert users == ["adain_alpha"]


def check_asked(folder=USER_PHOTOS, **changed):
    values = {"size": 0, "style_size": 0, "photos": [], "photos_style": "pair", "alpha_style": "composition_viii"}
    check_pictures(PictureParams(**{**values, **changed}), folder)


def test_what_the_pictures_ask_for_is_checked_before_the_training(project):
    check_asked()
    check_asked(photos=["pair/content.jpg"], photos_style="pair/style.jpg")
    with pytest.raises(UserError, match=r"adain\.pictures\.alpha_style = 'composition'.*composition_viii.*change it"):
        check_asked(alpha_style="composition")
    with pytest.raises(UserError, match=r"adain\.pictures\.photos: 'no\.jpg' is neither"):
        check_asked(photos=["no.jpg"])
    (project / "notes.txt").write_text("no picture")
    for changed in ({"photos": ["notes.txt"]}, {"photos_style": "notes.txt"}):
        with pytest.raises(UserError, match=r"notes\.txt: not an image"):
            check_asked(**changed)


def test_the_folder_of_photos_is_checked_before_the_training(project):
    photos = project / "photos"
    check_asked(photos)
    (photos / "here.jpg").symlink_to(save(project / "outside.jpg", 6))
    (photos / "again").symlink_to(photos)
    check_asked(photos)
    (photos / "IMG_1.raw").write_bytes(b"II*")
    with pytest.raises(UserError, match=r"IMG_1\.raw: no picture that can be read"):
        check_asked(photos)
    (photos / "IMG_1.raw").unlink()
    for name, target in (("loop.jpg", "loop.jpg"), (".nowhere", "no such file")):
        (photos / name).symlink_to(target)
        with pytest.raises(UserError, match=rf"{name}: neither a file nor a folder"):
            check_asked(photos)
        (photos / name).unlink()
    save(photos / os.fsdecode(b"caf\xe9.jpg"), 7)
    with pytest.raises(UserError, match="DVC cannot read a file whose name is not UTF-8; rename it"):
        check_asked(photos)
