"""Result files -> the numbers, names and paths that the report's templates use."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from nnlab.figures import thinned
from nnlab.params import ASSIGNED_ITERATIONS, FashionParams, GatysParams, JobParams, load_params
from nnlab.report.pictures import color_distance, edges_kept
from nnlab.sections import YamlLoader

KINDS = ("content", "style")  # AdaIN's two sets of pictures
EVEN_ALPHA, ODD_ALPHA = [0.3, 0.6, 0.9], [0.2, 0.5, 0.8]
PLACEHOLDERS = {"name": "姓名", "student_id": "学号"}  # name, student number: as params.yaml has them at first
# Epochs and iterations below which the report says so: the assignment's, and where it names none, params.yaml's own.
FULL = {"fashion": 5, "autoencoder": 25, "denoiser": 12, "gatys": 200, "adain": ASSIGNED_ITERATIONS}
FRAMES = 30  # snapshots on the page, at most: each of 512 pixels takes 0.1 MB
# Folders below data/raw whose provenance.json says where the data came from.
RECORDS = ("mnist", "fashion_mnist", "vgg19", "samples", "gcompris", "pair", *KINDS)


def gather(path: Path, metrics: Path, plots: Path, data: Path) -> dict[str, Any]:
    """All that the templates name, from params.yaml at `path` and the folders that the other stages write into."""
    params = load_params(path)
    numbers = {name: read_json(metrics / f"{name}.json") for name in (*FULL, "fashion_variants")}
    results, jobs, report = data / "results", params.gatys.jobs, params.report
    wanted = assigned_alpha(report.student_id)
    assets = {name: read_json(data / "raw" / name / "provenance.json") for name in RECORDS}
    gallery = pd.read_csv(data / "raw/pictures/provenance.csv", dtype=str, keep_default_na=False)
    return {
        "report": report,
        "plots": plots,
        "params": params,
        "parameters": parameters(path),
        "unset": [f"report.{key}" for key, word in PLACEHOLDERS.items() if getattr(report, key) in ("", word)],
        "wanted_alpha": wanted if wanted and not set(wanted) <= set(params.adain.alpha) else None,
        "shortened": _shortened(numbers, jobs),
        "fashion": _fashion(numbers, params.fashion, plots / "fashion"),
        "autoencoder": _autoencoder(numbers["autoencoder"], plots / "autoencoder", results / "autoencoder"),
        "denoiser": {"metrics": numbers["denoiser"], "loss": _columns(plots / "denoiser/loss.csv")},
        "jobs": {job: _job(job, params.gatys, numbers["gatys"], plots, results / "gatys" / job) for job in jobs},
        "adain": _adain(numbers["adain"], params.adain.alpha, plots / "adain", results / "adain"),
        "assets": assets,
        "pools": {kind: read_json(data / "pools" / kind / "summary.json") for kind in KINDS},
        "samples": [kind for kind in KINDS if assets[kind]["name"] == "sample"],
        "gallery": gallery.to_dict("records"),  # the paintings and photos that come with the project
    }


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file's values."""
    return json.loads(path.read_text(encoding="utf-8"))


def numbered(folder: Path, prefix: str = "") -> dict[float, Path]:
    """The pictures `folder`/<prefix><number>.png by their numbers, in order."""
    paths = folder.glob(f"{prefix}[0-9]*.png")
    return dict(sorted((float(path.stem.removeprefix(prefix)), path) for path in paths))


# ---- what the whole report says ----


def assigned_alpha(student_id: str) -> list[float] | None:
    """The sweep that the assignment asks of this number: by its last digit, even or odd. None without a digit."""
    digits = re.findall(r"\d", student_id)  # full-width ones of an input method, too
    return (ODD_ALPHA if int(digits[-1]) % 2 else EVEN_ALPHA) if digits else None


def parameters(path: Path) -> dict[str, dict[str, str]]:
    """Task, or hardware -> dotted key -> value, as typed in params.yaml at `path`; no key that changes no result."""
    values = yaml.load(path.read_text(encoding="utf-8"), YamlLoader)
    del values["adain"]["run"], values["hardware"]["device"]
    sections = {**{task: [task] for task in FULL}, "gatys": ["gatys", "vgg"], "hardware": ["hardware"]}
    return {
        task: {key: shown(value) for key, value in _leaves({name: values[name] for name in names})}
        for task, names in sections.items()
    }


def _leaves(section: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted key and value of everything below `section`; an empty mapping is a value."""
    for key, value in section.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def shown(value: Any) -> str:
    """A value as in YAML's flow style, without quotes around plain text."""
    return json.dumps(value, ensure_ascii=False).replace('"', "")


def differing(usual: dict[str, Any], own: dict[str, Any]) -> list[str]:
    """The settings that are not the usual ones, each as `key usual value → own value`."""
    return [f"{key} {shown(usual[key])} → {shown(own[key])}" for key in usual if usual[key] != own[key]]


def _shortened(numbers: dict[str, Any], jobs: dict[str, JobParams]) -> list[tuple[str, int, int]]:
    """(key, what was run, the full number) of every training and picture that was run for less."""
    trained = {"fashion": "fashion.training", "autoencoder": "autoencoder", "denoiser": "denoiser"}
    runs = [(f"{section}.epochs", numbers[name]["epochs"], FULL[name]) for name, section in trained.items()]
    gatys, both = numbers["gatys"], "coarse_iterations + iterations"
    runs += [(f"gatys.jobs.{name}: {both}", gatys[name]["iterations"], FULL["gatys"]) for name in jobs]
    runs += [("adain.train.max_iter", numbers["adain"]["iterations"], FULL["adain"])]
    return [run for run in runs if run[1] < run[2]]


# ---- experiments ----


def _fashion(numbers: dict[str, Any], params: FashionParams, plots: Path) -> dict[str, Any]:
    accuracy = pd.read_csv(plots / "per_class.csv", index_col="class")["accuracy"]
    pairs = pd.read_csv(plots / "confusion.csv")
    counts = pd.crosstab(pairs["actual"], pairs["predicted"])
    counts = counts.reindex(index=accuracy.index, columns=accuracy.index, fill_value=0)
    wrong = pairs[pairs["actual"] != pairs["predicted"]].value_counts()
    usual = params.training.model_dump()
    variants = [
        {"name": name, "network": own, "also": differing(usual, own.model_dump()), **numbers["fashion_variants"][name]}
        for name, own in params.variants.items()
    ]
    return {
        "metrics": numbers["fashion"],
        "curves": _columns(plots / "accuracy.csv"),
        "accuracy": accuracy.to_dict(),
        "confusion": counts.to_numpy().tolist(),
        "confused": [(*pair, count) for pair, count in wrong.items() if count == wrong.max()],
        "variants": sorted(variants, key=lambda variant: variant["test_accuracy"]),
    }


def _autoencoder(metrics: dict[str, Any], plots: Path, results: Path) -> dict[str, Any]:
    """Loss, the test set's codes as integers x, y (in 1/1000: a pixel is coarser) and digit, and the decoded grid."""
    codes, grid = pd.read_csv(results / "codes.csv"), np.load(results / "grid.npz")
    whole = (codes[["x", "y", "digit"]] * [1000, 1000, 1]).round().astype(int)
    return {
        "metrics": metrics,
        "loss": _columns(plots / "loss.csv"),
        "codes": whole.to_numpy().ravel().tolist(),
        "xs": grid["xs"].tolist(),
        "ys": sorted(grid["ys"].tolist(), reverse=True),
        "grid": grid["images"],
    }


def _job(name: str, params: GatysParams, metrics: dict[str, Any], plots: Path, results: Path) -> dict[str, Any]:
    """A picture of Gatys: its losses, how near it came to both pictures, what its settings have of their own."""
    losses = pd.read_csv(plots / f"gatys/{name}_losses.csv").select_dtypes("number")
    content, style, result = (results / f"{picture}.png" for picture in ("content", "style", "result"))
    first, own, layers = next(iter(params.jobs.values())), params.jobs[name], {"content_layers", "style_layers"}
    return {
        "metrics": metrics[name],
        "losses": losses.to_dict("list"),
        "enlarged": losses.iloc[-1 - own.iterations].to_dict(),  # before the first iteration at full size
        "frames": dict(thinned(list(numbered(results, "snapshot_").items()), FRAMES)),
        "beside": (content, style),
        "edges": edges_kept(content, result),
        "colors": color_distance(style, result),
        "colors_before": color_distance(style, content),
        "other_layers": first.model_dump(include=layers) != own.model_dump(include=layers),
        "same_pictures": (first.content, first.style, first.size) == (own.content, own.style, own.size),
        "own": differing(params.common.model_dump(), own.model_dump()),
        "also": differing(first.model_dump(exclude=layers), own.model_dump(exclude=layers)),
    }


def _adain(metrics: dict[str, Any], alphas: list[float], plots: Path, results: Path) -> dict[str, Any]:
    checkpoints, strengths = numbered(results / "checkpoints"), numbered(results / "alpha", "alpha_")
    pair, alpha_pair = ([results / of / f"{name}.png" for name in KINDS] for of in ("checkpoints", "alpha"))
    chosen = {alpha: picture for alpha, picture in strengths.items() if alpha in alphas}
    return {
        "metrics": metrics,
        "losses": _columns(plots / "losses.csv"),
        "heldout": _columns(plots / "heldout.csv"),
        "checkpoints": checkpoints,
        "alphas": strengths,
        "pair": pair,
        "alpha_pair": alpha_pair,
        "edges": {alpha: edges_kept(alpha_pair[0], picture) for alpha, picture in chosen.items()},
        "colors": {alpha: color_distance(alpha_pair[1], picture) for alpha, picture in chosen.items()},
    }


def _columns(path: Path) -> dict[str, list]:
    return pd.read_csv(path).to_dict("list")
