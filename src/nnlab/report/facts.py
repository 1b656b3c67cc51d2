"""Result files -> the numbers, names and paths that the report's templates use."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nnlab.errors import UserError
from nnlab.params import ID_PLACEHOLDER, NAME_PLACEHOLDER, Params, ReportParams
from nnlab.report.pictures import color_distance, existing, same_shapes

AGAIN = "delete it and run `dvc repro`"
EVEN_ALPHA, ODD_ALPHA = (0.3, 0.6, 0.9), (0.2, 0.5, 0.8)
# Epochs and iterations below which the report says so: the assignment's, and where it names none, params.yaml's own.
FULL = {"fashion": 5, "autoencoder": 25, "denoiser": 15, "gatys": 400, "adain": 10_000}
# Folders below data/raw whose provenance.json says where the data came from.
RECORDS = ("mnist", "fashion_mnist", "vgg19", "samples", "gcompris", "pair", "content", "style")
LAYERS = ("content_layers", "style_layers")


class Found(dict[str, Any]):
    """A JSON file's values; a name that is not there is a `UserError` with the file and what it has."""

    def __init__(self, values: dict[str, Any], path: Path) -> None:
        super().__init__(values)
        self._path = path

    def __missing__(self, key: str) -> Any:
        raise UserError(f"{self._path}: has no {key}; found {', '.join(sorted(self))[:300]}; {AGAIN}")


def gather(params: Params, metrics: Path, plots: Path, data: Path) -> dict[str, Any]:
    """All that the templates name: the folders are those that the other stages write into.

    Raises `UserError`, one line, for a file that is missing or damaged.
    """
    values = params.model_dump()
    numbers = {name: read_json(metrics / f"{name}.json") for name in (*FULL, "fashion_variants")}
    results, jobs = data / "results", values["gatys"]["jobs"]
    wanted = assigned_alpha(params.report.student_id)
    assets = {name: read_json(data / "raw" / name / "provenance.json") for name in RECORDS}
    return {
        "report": params.report,
        "plots": plots,
        "params": values,
        "parameters": parameters(values),
        "unset": placeholders(params.report),
        "wanted_alpha": wanted if wanted and sorted(values["adain"]["alpha"]) != [*wanted] else None,
        "shortened": _shortened(numbers, jobs),
        "fashion": _fashion(numbers, values["fashion"], plots / "fashion"),
        "autoencoder": {**_coder(numbers["autoencoder"], plots / "autoencoder"), **_latent(results / "autoencoder")},
        "denoiser": _coder(numbers["denoiser"], plots / "denoiser"),
        "jobs": {job: _job(job, jobs, numbers["gatys"], plots, results / "gatys" / job) for job in jobs},
        "adain": _adain(numbers["adain"], values["adain"], plots / "adain", results / "adain"),
        "assets": assets,
        "pools": {kind: read_json(data / "pools" / kind / "summary.json") for kind in ("content", "style")},
        "samples": [name for name in ("content", "style") if assets[name]["name"] == "sample"],
        "gallery": _gallery(data / "raw/pictures/provenance.csv"),
    }


# ---- files ----


def read_json(path: Path) -> Found:
    """A JSON file that holds an object."""
    try:
        return Found(dict(json.loads(existing(path).read_text(encoding="utf-8"))), path)
    except (ValueError, TypeError):
        raise UserError(f"{path}: not a whole JSON object; {AGAIN}") from None


def read_table(path: Path, numbers: Sequence[str], words: Sequence[str] = (), **options: Any) -> pd.DataFrame:
    """A CSV file with at least these columns, of finite numbers and of words; `options` are read_csv's."""
    try:
        table = pd.read_csv(existing(path), **options)
        finite = np.isfinite(table[list(numbers)].to_numpy(float)).all()
        if len(table) and finite and table[list(words)].notna().all(axis=None):
            return table
    except (KeyError, ValueError):
        pass
    raise UserError(f"{path}: not a whole table with the columns {', '.join([*numbers, *words])}; {AGAIN}")


def numbered(folder: Path, prefix: str = "") -> dict[float, Path]:
    """The pictures `folder`/<prefix><number>.png by their numbers, in order."""
    paths = folder.glob(f"{prefix}[0-9]*.png")
    found = dict(sorted((float(path.stem.removeprefix(prefix)), path) for path in paths))
    if not found:
        raise UserError(f"{folder}: holds no picture {prefix}<number>.png; the report is made of them: run `dvc repro`")
    return found


def named(folder: Path, *names: str) -> list[Path]:
    """The pictures `folder`/<name>.png."""
    return [existing(folder / f"{name}.png") for name in names]


# ---- what the whole report says ----


def placeholders(report: ReportParams) -> list[str]:
    """The keys that still have their placeholder, or nothing at all."""
    unset = {"name": ("", NAME_PLACEHOLDER), "student_id": ("", ID_PLACEHOLDER)}
    return [f"report.{key}" for key, values in unset.items() if getattr(report, key) in values]


def assigned_alpha(student_id: str) -> tuple[float, ...] | None:
    """The sweep that the assignment asks of this number: by its last digit, even or odd. None without a digit."""
    digits = re.findall(r"[0-9]", student_id)
    if not digits:
        return None
    return ODD_ALPHA if int(digits[-1]) % 2 else EVEN_ALPHA


def _shortened(numbers: dict[str, Found], jobs: dict[str, Any]) -> list[tuple[str, int, int]]:
    """(key, what was run, the full number) of every training and picture that was run for less."""
    trained = {"fashion": "fashion.training", "autoencoder": "autoencoder", "denoiser": "denoiser"}
    runs = [(f"{section}.epochs", numbers[name]["epochs"], FULL[name]) for name, section in trained.items()]
    runs += [(f"gatys.jobs.{job}.iterations", numbers["gatys"][job]["iterations"], FULL["gatys"]) for job in jobs]
    runs += [("adain.train.max_iter", numbers["adain"]["iterations"], FULL["adain"])]
    return [run for run in runs if run[1] < run[2]]


def parameters(values: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Section -> dotted key -> value as one would type it. Of variants and jobs what is their own; no `adain.run`."""
    fashion, gatys, adain = values["fashion"], values["gatys"], values["adain"]
    common = {**fashion["network"], **fashion["training"]}
    variants = {name: _differing(own, common) for name, own in fashion["variants"].items()}
    jobs = {name: _differing(own, gatys["common"]) for name, own in gatys["jobs"].items()}
    return {
        "fashion": _flat({**fashion, "variants": variants}, "fashion"),
        "autoencoder": _flat(values["autoencoder"], "autoencoder"),
        "denoiser": _flat(values["denoiser"], "denoiser"),
        "gatys": _flat({**gatys, "jobs": jobs}, "gatys") | _flat(values["vgg"], "vgg"),
        "adain": _flat({key: value for key, value in adain.items() if key != "run"}, "adain"),
    }


def _differing(values: dict[str, Any], common: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in common or common[key] != value}


def _flat(value: Any, key: str) -> dict[str, str]:
    if not isinstance(value, dict) or not value:
        return {key: shown(value)}
    return {name: text for inner, below in value.items() for name, text in _flat(below, f"{key}.{inner}").items()}


def shown(value: Any) -> str:
    """A value as in YAML's flow style, without quotes around plain text."""
    return json.dumps(value, ensure_ascii=False).replace('"', "")


# ---- experiments ----


def _fashion(numbers: dict[str, Found], section: dict[str, Any], plots: Path) -> dict[str, Any]:
    kinds = ("train_accuracy", "test_accuracy", "train_loss", "test_loss")
    curves = read_table(plots / "accuracy.csv", ["epoch", *kinds])
    accuracy = read_table(plots / "per_class.csv", ["accuracy"], ["class"]).set_index("class")["accuracy"]
    pairs = read_table(plots / "confusion.csv", [], ["actual", "predicted"])
    counts = pd.crosstab(pairs["actual"], pairs["predicted"])
    counts = counts.reindex(index=accuracy.index, columns=accuracy.index, fill_value=0)
    wrong = counts.to_numpy(copy=True)
    np.fill_diagonal(wrong, 0)
    actual, predicted = np.unravel_index(wrong.argmax(), wrong.shape)
    trained = numbers["fashion_variants"].items()
    variants = [{"name": name, **section["variants"].get(name, {}), **result} for name, result in trained]
    return {
        "metrics": numbers["fashion"],
        "curves": curves.to_dict("list"),
        "accuracy": accuracy.to_dict(),
        "confusion": counts.to_numpy().tolist(),
        "confused": (accuracy.index[actual], accuracy.index[predicted], int(wrong.max())),
        "variants": sorted(variants, key=lambda variant: variant["test_accuracy"]),
    }


def _coder(metrics: Found, plots: Path) -> dict[str, Any]:
    loss = read_table(plots / "loss.csv", ["epoch", "train_loss", "test_loss"])
    return {"metrics": metrics, "loss": loss.to_dict("list")}


def _latent(results: Path) -> dict[str, Any]:
    """The test set's codes as integers x, y (in 1/1000: a pixel is coarser) and digit, and the decoded grid."""
    codes = read_table(results / "codes.csv", ["x", "y", "digit"])
    path = existing(results / "grid.npz")
    try:
        with np.load(path, allow_pickle=False) as grid:
            images, xs, ys = grid["images"], grid["xs"].tolist(), grid["ys"].tolist()
        if images.ndim != 4 or images.shape[:2] != (len(ys), len(xs)):
            raise ValueError("its pictures are not those of its axes")
    except Exception as error:  # NumPy, zipfile and zlib each have errors of their own
        raise UserError(f"{path}: damaged ({' '.join(str(error).split())}); {AGAIN}") from None
    whole = np.column_stack([1000 * codes["x"], 1000 * codes["y"], codes["digit"]]).round().astype(int)
    return {"codes": whole.ravel().tolist(), "xs": xs, "ys": sorted(ys, reverse=True), "grid": images}


def _job(job: str, jobs: dict[str, Any], metrics: Found, plots: Path, results: Path) -> dict[str, Any]:
    """A picture of Gatys: its losses, how near it came to both pictures, what its settings have of their own."""
    table = read_table(plots / f"gatys/{job}_losses.csv", ["iteration", "total"]).select_dtypes("number")
    settings, first = jobs[job], next(iter(jobs.values()))
    content, style, result = named(results, "content", "style", "result")
    also = [key for key in first if key not in LAYERS and first[key] != settings[key]]
    return {
        "metrics": metrics[job],
        "losses": table.to_dict("list"),
        "early": table[table["iteration"] <= settings["snapshot_every"]].iloc[-1].to_dict(),  # at the first snapshot
        "frames": numbered(results, "snapshot_"),
        "beside": (content, style),
        "shapes": same_shapes(content, result),
        "colors": color_distance(style, result),
        "colors_before": color_distance(style, content),
        "other_layers": any(first[key] != settings[key] for key in LAYERS),
        "also": [f"{key} {shown(first[key])} → {shown(settings[key])}" for key in also],
    }


def _adain(metrics: Found, section: dict[str, Any], plots: Path, results: Path) -> dict[str, Any]:
    losses = read_table(plots / "losses.csv", ["iteration", "content_loss", "style_loss"])
    heldout = read_table(plots / "heldout.csv", ["iteration"]).select_dtypes("number")
    checkpoints, alphas = numbered(results / "checkpoints"), numbered(results / "alpha", "alpha_")
    content, style = pair = named(results / "alpha", "content", "style")
    chosen = {alpha: path for alpha, path in alphas.items() if alpha in section["alpha"]}
    names = [name for name in metrics if name != "iterations"]
    course = {name: [metrics.get(f"{name}_{percent:g}") for percent in checkpoints] for name in names}
    return {
        "metrics": metrics,
        "losses": losses.to_dict("list"),
        "heldout": heldout.to_dict("list"),
        "checkpoints": checkpoints,
        "course": {name: values for name, values in course.items() if None not in values},  # a value per checkpoint
        "alphas": alphas,
        "pair": named(results / "checkpoints", "content", "style"),
        "alpha_pair": pair,
        "shapes": {alpha: same_shapes(content, path) for alpha, path in chosen.items()},
        "colors": {alpha: color_distance(style, path) for alpha, path in chosen.items()},
        "identity": section["train"]["identity"]["share"],  # of the steps
    }


def _gallery(path: Path) -> list[dict[str, Any]]:
    """The rows of the table of paintings and photos that come with the project; none where it was not fetched."""
    if not path.exists():
        return []
    words = ["file", "held_out", "title", "artist", "year", "copyright", "licence"]
    return read_table(path, [], words, dtype=str, keep_default_na=False).to_dict("records")
