"""The stages after AdaIN's training, on small pictures."""

import json
import os
from copy import deepcopy

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from nnlab.adain.choice import check_pictures, find_photos
from nnlab.adain.figures import choose, note
from nnlab.adain.model import DECODER_LAYERS
from nnlab.adain.stylize import Stylizer, open_picture
from nnlab.adain.weights import load_decoder, load_encoder, save_decoder, save_encoder
from nnlab.data.pair import stand_ins
from nnlab.errors import UserError
from nnlab.figures import footnote, save_figure, style
from nnlab.params import PictureParams
from nnlab.vgg.weights import read_weights
from stages import adain_alpha, adain_checkpoints
from tests.adain.reference import save
from tests.adain.training import write_params
from tests.datasets import make_gallery, write_files

PERCENTS = 10, 25, 100
SMALL = {"pictures.size": 32, "pictures.style_size": 32, "pictures.alpha_style": "composition_viii"}


@pytest.fixture(scope="module")
def decoders(weight_files, decoder, tmp_path_factory):
    """The folder of a training: the fixture's decoder, three times, each brighter than the one before."""
    folder, other = tmp_path_factory.mktemp("decoders"), deepcopy(decoder)
    (folder / "decoder_100 copy.safetensors").touch()  # a user's, which is passed over
    save_encoder(read_weights(weight_files[0]), folder / "encoder.safetensors", {})
    for percent in PERCENTS:
        getattr(other, DECODER_LAYERS[-1][0]).bias.data += 0.02
        save_decoder(other, folder / f"decoder_{percent}.safetensors", {"iteration": str(percent * 100)})
    return folder


@pytest.fixture
def project(workdir):
    """A folder with params.yaml at small sizes, a pair, a gallery and no photos of the user."""
    write_params(workdir, **SMALL)
    save(workdir / "pair/content.jpg", 1, 48, 36)
    save(workdir / "pair/style.jpg", 2, 36, 48)
    (workdir / "pair/provenance.json").write_text(json.dumps({"name": "pair", "stand_in": False, "note": "the pair"}))
    make_gallery(workdir / "gallery")
    save(workdir / "gallery/photos/held_out/france_pontduGard.webp", 3)
    write_files(workdir, {"photos/README.md": b"not a photo"})
    return workdir


def draw_alphas(project, decoders):
    """Run the stage; the bytes of its figure, and its pictures by name."""
    folders = [project / name for name in ("photos", "gallery", "pair")]
    adain_alpha.main(*folders, decoders, project / "plots/alpha.png", project / "results")
    drawn = {path.stem: np.asarray(Image.open(path)).astype(int) for path in (project / "results").iterdir()}
    return (project / "plots/alpha.png").read_bytes(), drawn


def test_checkpoints_are_drawn(project, weight_files, decoders):
    outputs = project / "plots/checkpoints.png", project / "results"
    adain_checkpoints.main(project / "pair", decoders, *outputs)
    drawn = sorted(path.stem for path in (project / "results").iterdir())
    assert drawn == ["10", "100", "25", "content", "style"]
    assert {Image.open(project / f"results/{name}.png").size for name in ("content", "10", "100")} == {(43, 32)}
    photo, painting = (open_picture(project / f"pair/{name}.jpg", 32) for name in ("content", "style"))
    for percent in PERCENTS:
        file = decoders / f"decoder_{percent}.safetensors"
        expected = Stylizer(load_encoder(weight_files[0]), load_decoder(file)).stylize(photo, [painting])
        shown = np.asarray(Image.open(project / f"results/{percent}.png")).astype(int)
        assert np.abs(shown - np.asarray(expected)).max() <= 1
    assert Image.open(project / "plots/checkpoints.png").width > 600
    assert [path.name for path in (project / "plots").iterdir()] == ["checkpoints.png"]


def test_alphas_are_drawn_beside_the_sliders_steps(project, decoders):
    write_params(project, **SMALL, alpha=[0.25, 0.6, 0.333, 0.33])
    first, drawn = draw_alphas(project, decoders)
    steps = {f"alpha_{step / 10:.2f}" for step in range(11)}
    assert set(drawn) == {*steps, "alpha_0.25", "alpha_0.333", "alpha_0.33", "content", "style"}
    apart = [np.abs(drawn[f"alpha_{alpha}"] - drawn["alpha_0.00"]).mean() for alpha in ("0.25", "0.60", "1.00")]
    assert 0 < apart[0] < apart[1] < apart[2]
    write_params(project, **SMALL, alpha=[0.2, 0.5, 0.8])
    second, drawn = draw_alphas(project, decoders)
    assert second != first
    assert set(drawn) == {*steps, "content", "style"}


def asked(**changed):
    values = {"size": 32, "style_size": 32, "photos": [], "photos_style": "pair", "alpha_style": "pair"}
    return PictureParams(**{**values, **changed})


def chosen(project, count=2, style="pair"):
    """Sizes of the photos and of the style, and the lines about them."""
    folders = [project / name for name in ("photos", "gallery", "pair")]
    photos, painting, notes = choose(asked(alpha_style=style), "alpha_style", *folders, count)
    return [photo.size for photo in photos], painting.size, notes


def test_the_users_photos_come_before_the_samples(project):
    photos = project / "photos"
    both = "Sample photos (Pont du Gard, Red panda): put two photos of your own into "
    assert chosen(project)[2] == ["", both + photos.as_posix()]
    assert chosen(project, 1)[2][1].startswith("Sample photo (Pont du Gard):")
    me = save(photos / "me.jpg", 6, 48, 36)
    assert chosen(project, 1)[2] == [""]
    assert chosen(project)[2][1].startswith("Sample photo (Red panda):")
    also, last = save(photos / "also.png", 7, 40), save(photos / "z.png", 8)
    assert find_photos(photos, []) == [also, me]
    assert chosen(project, 1) == ([(32, 32)], (32, 43), [""])
    assert chosen(project) == ([(32, 32), (43, 32)], (32, 43), [""])
    other = project / "pair/content.jpg"
    assert find_photos(photos, ["z.png", str(other)]) == [last, other]
    assert find_photos(photos, ["z.png"]) == [last, also]
    assert find_photos(photos, [str(photos / "../photos/also.png")])[1:] == [me]


def test_a_style_is_the_pairs_a_held_out_painting_or_a_file(project):
    painting = save(project / "gallery/paintings/held_out/composition_viii.png", 9, 40, 80)
    expected = {
        "pair": ((32, 43), ""),
        "composition_viii": ((32, 64), "Style: Wassily Kandinsky: Composition VIII (1923)"),
        "pair/content.jpg": ((43, 32), "Style: content.jpg"),
    }
    for named, known in expected.items():
        _, size, notes = chosen(project, style=named)
        assert (size, notes[0]) == known
    painting.unlink()
    with pytest.raises(UserError, match=r"gallery: has no picture composition_viii; run"):
        chosen(project, style="composition_viii")


def test_a_photo_that_is_passed_over_is_named(project, caplog):
    photos = project / "photos"
    kept = [save(photos / name, 6) for name in ("b.jpg", "c.jpg")]
    harmless = (".DS_Store", ".cache/x.txt", "b.jpg.dvc", "Thumbs.db", "b.jpg:Zone.Identifier")
    write_files(photos, dict.fromkeys(harmless, b"harmless"))
    assert find_photos(photos, []) == kept
    assert caplog.messages == []
    (photos / "IMG_1.heix").write_bytes(b"ftypheic")
    assert find_photos(photos, []) == kept
    assert caplog.messages == [f"{photos}: left out, for their endings are no picture's: IMG_1.heix"]


def test_the_line_below_a_figure_names_what_is_not_as_asked(project, decoders):
    whole, short = decoders / "decoder_100.safetensors", decoders / "decoder_10.safetensors"
    assert note(whole, stand_ins(project / "pair")) == ""
    record = {"name": "pair", "stand_in": True, "note": "", "replaced": {"style.jpg": "oil for Matisse"}}
    (project / "pair/provenance.json").write_text(json.dumps(record))
    assert note(whole, stand_ins(project / "pair")).startswith("STAND-IN: oil for Matisse, because")
    assert note(whole, stand_ins(project / "pair", ["content.jpg"])) == ""
    assert note(short, "", "Sample.") == "Sample. Reduced training: 1,000 iterations instead of 10,000"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"alpha_style": "cubist"}, r"adain\.pictures\.alpha_style = 'cubist': .*composition_viii.*; change it"),
        ({"photos": ["no.jpg"]}, r"adain\.pictures\.photos: 'no\.jpg' is neither a file in"),
        ({"photos": ["notes.txt"]}, r"notes\.txt: not an image"),
        ({"photos": ["strip.png"], "size": 0}, r"strip\.png: 400x8 pixels; at least 9 a side"),
        ({"photos_style": "notes.txt"}, r"notes\.txt: not an image"),
        ({"size": 8}, r"adain\.pictures\.size = 8: must be 0 .*, or at least 9"),
    ],
)
def test_what_the_pictures_ask_for_is_checked_before_the_training(project, changed, message):
    (project / "notes.txt").write_text("no picture")
    save(project / "strip.png", 6, 400, 8)
    good = {"photos": ["pair/content.jpg"], "photos_style": "pair/style.jpg", "alpha_style": "composition_viii"}
    check_pictures(asked(**good), project / "photos")
    with pytest.raises(UserError, match=message):
        check_pictures(asked(**good | changed), project / "photos")


@pytest.mark.parametrize(("name", "target"), [("loop.jpg", "loop.jpg"), (os.fsdecode(b"caf\xe9.jpg"), "here.jpg")])
def test_the_folder_of_photos_is_checked_before_the_training(project, name, target):
    (project / "photos/here.jpg").symlink_to(save(project / "outside.jpg", 6))
    check_pictures(asked(), project / "photos")
    (project / "photos" / name).symlink_to(target)
    with pytest.raises(UserError, match="jpg: DVC can read no name that is not UTF-8, and no dead link"):
        check_pictures(asked(), project / "photos")


@pytest.mark.filterwarnings("error")
def test_any_file_name_can_stand_under_a_figure(tmp_path):
    with style():
        figure = Figure()
        footnote(figure, "Style: a$_$b_星空.jpg")
        save_figure(figure, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 1000
