"""What a page is asked for: period, comparison, currency and partners, all in the address.

Days are those of the programme's time zone; the newest is the snapshot's `as_of`, never today.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from dashboards.errors import BadInputError

PERIODS = {
    "this_month": "This month",
    "last_month": "Last month",
    "quarter": "This quarter",
    "90d": "Last 90 days",
    "ytd": "This year",
    "12m": "Last 12 months",
    "custom": "From … to …",
}
COMPARES = {"previous": "Period before", "last_year": "Same days last year", "none": "Nothing"}
DEFAULT_PERIOD = "90d"
_LONGEST_DAYS = 3660


@dataclass(frozen=True)
class Span:
    """Days from start to end, both included."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """How many days."""
        return (self.end - self.start).days + 1


@dataclass(frozen=True)
class Filters:
    """What is asked for. compared: None when nothing is compared. Empty text: not filtered."""

    period: str
    span: Span
    compare: str
    compared: Span | None
    currency: str = ""
    group: str = ""
    partner_id: str = ""
    only_pilot: bool = False

    def values(self) -> dict[str, object]:
        """For queries: $start, $end, $compare_start, $compare_end, $currency, $group_name, …

        Without comparison the compared days are none: the end lies before the start.
        """
        compared = self.compared or Span(date(1, 1, 2), date(1, 1, 1))
        return {
            "start": self.span.start,
            "end": self.span.end,
            "compare_start": compared.start,
            "compare_end": compared.end,
            "currency": self.currency,
            "group_name": self.group,
            "partner_id": self.partner_id,
            "only_pilot": self.only_pilot,
        }

    def query(self, **changes: str) -> str:
        """The address part of the same filters, some changed."""
        kept = {"period": self.period, "compare": self.compare}
        if self.period == "custom":
            kept |= {"from": self.span.start.isoformat(), "to": self.span.end.isoformat()}
        for name, value in (
            ("currency", self.currency),
            ("group", self.group),
            ("partner", self.partner_id),
            ("pilot", "1" if self.only_pilot else ""),
        ):
            if value:
                kept[name] = value
        kept |= changes
        return urlencode({name: value for name, value in kept.items() if value})


def read_filters(
    asked: Mapping[str, str], as_of: date, default_period: str = DEFAULT_PERIOD
) -> Filters:
    """Filters of an address. Raises: BadInputError naming the part that cannot be used."""
    period = asked.get("period") or default_period
    if period not in PERIODS:
        raise BadInputError(f"period={period}: one of {', '.join(PERIODS)}")
    compare = asked.get("compare") or "previous"
    if compare not in COMPARES:
        raise BadInputError(f"compare={compare}: one of {', '.join(COMPARES)}")
    span = _custom(asked) if period == "custom" else _preset(period, as_of)
    return Filters(
        period=period,
        span=span,
        compare=compare,
        compared=_compared(span, compare),
        currency=_code(asked.get("currency", "")),
        group=asked.get("group", "")[:100],
        partner_id=asked.get("partner", "")[:100],
        only_pilot=asked.get("pilot") == "1",
    )


def _preset(period: str, as_of: date) -> Span:
    first = as_of.replace(day=1)
    if period == "this_month":
        return Span(first, as_of)
    if period == "last_month":
        last = first - timedelta(days=1)
        return Span(last.replace(day=1), last)
    if period == "quarter":
        return Span(date(as_of.year, 3 * ((as_of.month - 1) // 3) + 1, 1), as_of)
    if period == "ytd":
        return Span(date(as_of.year, 1, 1), as_of)
    if period == "12m":
        return Span(_months_before(first, 11), as_of)
    return Span(as_of - timedelta(days=89), as_of)


def _custom(asked: Mapping[str, str]) -> Span:
    span = Span(_day(asked, "from"), _day(asked, "to"))
    if span.end < span.start:
        raise BadInputError(f"from={span.start} lies after to={span.end}")
    if span.days > _LONGEST_DAYS:
        raise BadInputError(f"from={span.start} to={span.end}: ten years at most")
    return span


def _day(asked: Mapping[str, str], name: str) -> date:
    text = asked.get(name, "")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadInputError(f"{name}={text}: write a day like 2026-02-28") from None
    # Room on both sides, so that the days compared with exist too.
    if not date(1900, 1, 1) <= day <= date(2200, 1, 1):
        raise BadInputError(f"{name}={text}: a day between 1900 and 2200")
    return day


def _compared(span: Span, compare: str) -> Span | None:
    if compare == "none":
        return None
    if compare == "last_year":
        return Span(_year_before(span.start), _year_before(span.end))
    end = span.start - timedelta(days=1)
    return Span(end - timedelta(days=span.days - 1), end)


def _year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def _months_before(first: date, months: int) -> date:
    place = first.year * 12 + first.month - 1 - months
    return date(place // 12, place % 12 + 1, 1)


def _code(text: str) -> str:
    if text and not (len(text) == 3 and text.isascii() and text.isalpha()):  # noqa: PLR2004
        raise BadInputError(f"currency={text[:20]}: three letters, such as EUR")
    return text.upper()
