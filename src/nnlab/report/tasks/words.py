"""Numbers as text, and sentences that say what the numbers show: nothing is claimed that was not compared."""

from collections.abc import Sequence
from itertools import pairwise

from nnlab.report.document import Say


def percent(value: float) -> str:
    """A fraction as percent with two decimals, without the sign."""
    return f"{100 * value:.2f}"


def short(value: float) -> str:
    """Four significant digits, without an exponent where that stays readable."""
    if value == 0:
        return "0"
    if abs(value) >= 1e6 or abs(value) < 1e-4:
        return f"{value:.3e}"
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"


def course_of(values: Sequence[float], say: Say, *, noise: float = 0.002) -> str:
    """How a sequence runs: rises, falls, or neither; steps below `noise` of the range count as level."""
    span = max(values) - min(values)
    steps = [b - a for a, b in pairwise(values)]
    if len(values) < 2 or span == 0:
        return say("没有变化", "does not change")
    tolerance = noise * span
    if all(step >= -tolerance for step in steps):
        return say("持续上升", "rises throughout")
    if all(step <= tolerance for step in steps):
        return say("持续下降", "falls throughout")
    if values[-1] > values[0]:
        return say("总体上升（中途有波动）", "rises overall, not at every step")
    if values[-1] < values[0]:
        return say("总体下降（中途有波动）", "falls overall, not at every step")
    return say("先后有升有降", "goes up and down")


def change(first: float, last: float, say: Say) -> str:
    """A change in percent of the first value, in words."""
    if first == 0:
        return say(f"由 0 变为 {short(last)}", f"from 0 to {short(last)}")
    part = 100 * (last - first) / abs(first)
    if abs(part) < 0.05:
        return say("几乎不变", "almost unchanged")
    if part > 0:
        return say(f"上升 {part:.1f} %", f"up by {part:.1f} %")
    return say(f"下降 {-part:.1f} %", f"down by {-part:.1f} %")


def points(first: float, last: float, say: Say) -> str:
    """A change of a fraction in percentage points."""
    gap = 100 * (last - first)
    return say(f"{gap:+.2f} 个百分点", f"{gap:+.2f} percentage points")


def epochs(count: int, say: Say) -> str:
    """A number of epochs in words."""
    return say(f"{count} 轮", "one epoch" if count == 1 else f"{count} epochs")


def listed(items: Sequence[str], say: Say) -> str:
    """Names joined as the language does."""
    return say("、", ", ").join(items)
