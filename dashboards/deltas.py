"""How a metric has changed against the period compared with: the words, and whether it is good.

A larger cost is bad news: which direction is good stands with each metric (`metrics`).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from dashboards.metrics import DOWN, NONE, Metric
from dashboards.templating import money, number, percent

Value = int | tuple[int, int] | None
"""Of money minor units, of a count or days a whole number, of a share two numbers to divide."""
_PLUS, _MINUS = "+", "\N{MINUS SIGN}"
_NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"


@dataclass(frozen=True)
class Delta:
    """text: what changed, empty when nothing can be said. tone: good, bad or neutral."""

    text: str
    tone: str


def shown(metric: Metric, value: Value, currency: str = "") -> str:
    """A value as people read it; a dash where there is none."""
    if value is None:
        return ""
    if metric.unit == "money":
        return money(_whole(value), currency)
    if metric.unit == "share":
        return percent(value if isinstance(value, tuple) else Fraction(value))
    text = number(_whole(value))
    return f"{text} {'day' if value == 1 else 'days'}" if metric.unit == "days" else text


def delta(metric: Metric, value: Value, before: Value, currency: str = "") -> Delta:
    """The change from before to value; both as the metric's unit has them."""
    if value is None or before is None:
        return Delta("", "neutral")
    now, then = _fraction(value), _fraction(before)
    if now is None or then is None:
        return Delta("", "neutral")
    was = shown(metric, before, currency)
    if now == then:
        return Delta(f"as before: {was}", "neutral")
    tone = _tone(metric, now - then)
    if metric.unit == "money" and not then:
        # From nothing, no percentage says how much.
        return Delta("nothing before", tone)
    return Delta(f"{_change(metric, now, then)} against {was}", tone)


def _change(metric: Metric, now: Fraction, then: Fraction) -> str:
    sign = _PLUS if now > then else _MINUS
    size = abs(now - then)
    if metric.unit == "share":
        return f"{sign}{percent(size).removesuffix(f'{_NARROW_SPACE}%')} points"
    if metric.unit == "money":
        return f"{sign}{percent(size / abs(then))}"
    return f"{sign}{number(int(size))}"


def _tone(metric: Metric, difference: Fraction) -> str:
    if metric.better == NONE:
        return "neutral"
    is_good = (difference < 0) if metric.better == DOWN else (difference > 0)
    return "good" if is_good else "bad"


def _fraction(value: Value) -> Fraction | None:
    if isinstance(value, tuple):
        return Fraction(*value) if value[1] else None
    return None if value is None else Fraction(value)


def _whole(value: Value) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is no whole number")
    return value
