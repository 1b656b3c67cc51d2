"""What the choice of layers changes in the results of the Gatys jobs, in words."""

from typing import Any

from nnlab.report.document import Say, shown
from nnlab.report.tasks.words import listed

_LAYERS = ("content_layers", "style_layers")


def compare(jobs: dict[str, Any], likeness: dict[str, dict[str, float]], say: Say) -> list[str]:
    """What the choice of layers changes against the first job, with all else in which the jobs differ."""
    first, *others = jobs
    said = []
    for other in others:
        if not _layers_differ(jobs[first], jobs[other]):
            continue
        a, b = likeness[first], likeness[other]
        shapes = _nearer(first, other, b["shapes"] - a["shapes"], say)
        colors = _nearer(first, other, a["colors"] - b["colors"], say)
        said.append(say(
            f"层的选择（{first}：{_choice(jobs[first], say)}；{other}：{_choice(jobs[other], say)}；{_else(first, other, jobs, say)}）："
            f"结果与内容图的亮度相关系数分别为 {a['shapes']:.3f} 和 {b['shapes']:.3f}，{shapes}更接近内容图的结构；"
            f"与风格图的颜色距离分别为 {a['colors']:.3f} 和 {b['colors']:.3f}，{colors}更接近风格图的颜色。",
            f"Choice of layers ({first}: {_choice(jobs[first], say)}; {other}: {_choice(jobs[other], say)}; "
            f"{_else(first, other, jobs, say)}): the brightness of the results correlates with the content "
            f"picture by {a['shapes']:.3f} and {b['shapes']:.3f}: {shapes} nearer to its shapes; their colours are {a['colors']:.3f} and "
            f"{b['colors']:.3f} from the style picture's: {colors} nearer to them.",
        ))  # fmt: skip
    return said


def _layers_differ(first: dict[str, Any], other: dict[str, Any]) -> bool:
    return any(first[key] != other[key] for key in _LAYERS)


def _else(first: str, other: str, jobs: dict[str, Any], say: Say) -> str:
    """What, besides the layers, is not the same in the two jobs: it has its part in what the pictures show."""
    a, b = jobs[first], jobs[other]
    also = [f"{key} {shown(a[key])} → {shown(b.get(key))}" for key in a if key not in _LAYERS and a[key] != b.get(key)]
    if not also:
        return say("其余参数相同", "all else equal")
    return say("此外不同的还有 ", "also different: ") + listed(also, say)


def _nearer(first: str, other: str, lead: float, say: Say) -> str:
    """Which job is nearer, `lead` being how much the other one is; a difference below 0.005 is none."""
    if abs(lead) < 0.005:
        return say("没有哪一个明显", "neither is clearly")
    name = other if lead > 0 else first
    return say(f"{name} ", f"{name} is")


def _choice(job: dict[str, Any], say: Say) -> str:
    none = say("无", "none")
    content, style = (listed(job[f"{kind}_layers"], say) or none for kind in ("content", "style"))
    return say(f"内容层 {content}，风格层 {style}", f"content {content}; style {style}")
