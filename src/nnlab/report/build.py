"""Parameters and result files -> the report as data: tasks in the assignment's order, warnings, data really used."""

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from nnlab.data.catalog import PROVENANCE, read_provenance
from nnlab.data.gallery import read_entries
from nnlab.params import ID_PLACEHOLDER, NAME_PLACEHOLDER, ReportParams
from nnlab.report.document import Asset, Context, Report, Say, Task, shown
from nnlab.report.inputs import Inputs, read_json
from nnlab.report.tasks import adain, autoencoder, fashion, gatys
from nnlab.sections import Section

# The assignment's order.
TASKS: tuple[Callable[[Context], Task], ...] = (
    fashion.build,
    autoencoder.build,
    autoencoder.build_denoiser,
    gatys.build,
    adain.build,
)


# What says where the data came from, under the data folder, and what was packed of it.
RECORDS = [
    f"raw/{name}" for name in ("mnist", "fashion_mnist", "vgg19", "samples", "gcompris", "pair", "content", "style")
]
POOLS = ("pools/content", "pools/style")
EVEN_ALPHA = (0.3, 0.6, 0.9)
ODD_ALPHA = (0.2, 0.5, 0.8)


def build(params: Section, report: ReportParams, inputs: Inputs) -> Report:
    """Read every result file and say what it shows. `params` is the whole of params.yaml, `report` its last section."""
    say = speaker(report.language)
    context = Context(params.model_dump(), inputs, say)
    tasks = [task(context) for task in TASKS]
    assets = _assets(inputs.data, say)
    return Report(
        language=report.language,
        title=say("实验三", "Experiment 3"),
        name=report.name,
        student_id=report.student_id,
        course=report.course,
        warnings=[
            *_placeholders(report, say),
            *_alpha(report.student_id, context.params["adain"]["alpha"], say),
            *[_stand_in(asset, say) for asset in assets if asset.stand_in],
            *[warning for task in tasks for warning in task.warnings],
        ],
        assets=assets,
        tasks=tasks,
    )


def speaker(language: str) -> Say:
    """The function that picks the text of `language` out of (Chinese, English)."""
    return lambda chinese, english: chinese if language == "zh" else english


def _placeholders(report: ReportParams, say: Say) -> list[str]:
    unset = placeholders(report)
    if not unset:
        return []
    keys = say("、", ", ").join(unset)
    return [
        say(
            f"尚未填写 {keys}，报告使用占位符。请在 params.yaml 中填写，再运行：make report",
            f"{keys} not set, the report has placeholders. Fill them in in params.yaml, then run: make report",
        )
    ]


def _alpha(student_id: str, alpha: Sequence[float], say: Say) -> list[str]:
    """A line where the sweep is not the one that the student number asks for."""
    wanted = assigned_alpha(student_id)
    if wanted is None or (len(alpha) == len(wanted) and all(map(math.isclose, sorted(alpha), wanted))):
        return []
    command = f"dvc exp run -S 'adain.alpha={shown(wanted).replace(' ', '')}' && make report"
    asked, found = shown(wanted), shown(alpha)
    return [
        say(
            f"学号 {student_id} 要求 α = {asked}，而 adain.alpha 为 {found}。请运行：{command}",
            f"Student number {student_id} asks for α = {asked}, but adain.alpha is {found}. Run: {command}",
        )
    ]


def _stand_in(asset: Asset, say: Say) -> str:
    note = asset.note.removeprefix("STAND-IN: ")
    return say(f"替代素材（{asset.name}）：{note}", f"Stand-in ({asset.name}): {note}")


def _assets(data: Path, say: Say) -> list[Asset]:
    """What was fetched and generated, and what AdaIN was trained on."""
    records = [_asset(data / folder / PROVENANCE, say) for folder in RECORDS]
    return [*records, _gallery(data / "raw/pictures", say)] + [
        _pool(data / folder / "summary.json", say) for folder in POOLS
    ]


def _asset(path: Path, say: Say) -> Asset:
    record = read_provenance(path)
    files = record.get("files", {})
    checked = say("以 SHA-256 校验", "verified by SHA-256") if files else ""
    name = _training_set(path.parent.name, say) or str(record["name"])
    return Asset(
        name=name,
        source=str(record.get("source", "")) or checked,
        stand_in=bool(record["stand_in"]),
        note=str(record["note"]),
        files={str(k): str(v) for k, v in files.items()} if isinstance(files, dict) else {},
    )


def _gallery(folder: Path, say: Say) -> Asset:
    """Every painting and photo with its title, who holds the rights and the licence; first those of the figures."""
    entries = sorted(read_entries(folder), key=lambda entry: entry.held_out, reverse=True)
    held_out = [entry.caption for entry in entries if entry.held_out == "yes"]
    return Asset(
        name=say("画与照片", "Paintings and photos"),
        source="GCompris",
        stand_in=False,
        note=say("不参与训练的：", "Held out from training: ") + "; ".join(held_out),
        files={entry.file: f"{entry.caption}; {entry.copyright}; {entry.licence}" for entry in entries},
    )


def _training_set(folder: str, say: Say) -> str:
    """What the folders named after the two sides of AdaIN's training hold; "" for other folders."""
    return {"content": say("AdaIN 内容图训练集", "AdaIN training set, content"),
            "style": say("AdaIN 风格图训练集", "AdaIN training set, style")}.get(folder, "")  # fmt: skip


def _pool(path: Path, say: Say) -> Asset:
    """A packed set of training pictures, from its summary."""
    record = read_json(path)
    left_out = record.get("left_out") or {}
    count = record.get("images", 0)
    note = say(f"{count:,} 张可用图像", f"{count:,} usable pictures")
    if left_out:
        note += say("，未用：", ", left out: ") + ", ".join(f"{kind} {number}" for kind, number in left_out.items())
    rest = {key: value for key, value in record.items() if key not in ("images", "left_out")}
    about = ", ".join(f"{key}: {shown(value)}" for key, value in rest.items())
    name = _training_set(path.parent.name, say) or path.parent.name
    return Asset(f"{name}{say('（处理后）', ' (packed)')}", about, False, note, {})


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
