"""The templates: Jinja with every value escaped, and how amounts, days and rates are written."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from program.currencies import format_minor

from dashboards import words
from dashboards.navigation import menu_of
from dashboards.users import DECIDERS

FOLDER = Path(__file__).resolve().parent / "templates"
STATIC = Path(__file__).resolve().parent / "static"
_NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"
_THIN_SPACE = "\N{THIN SPACE}"
_MINUS = "\N{MINUS SIGN}"


def templates(timezone: str) -> Environment:
    """The environment of all pages. timezone: of the programme, in which instants are shown."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    zone = ZoneInfo(timezone)
    environment.filters |= {
        "money": money,
        "signed_money": lambda minor, code: money(minor, code, is_signed=True),
        "number": number,
        "percent": percent,
        "day": day,
        "instant": lambda value: instant(value, zone),
        "word": words.word,
        "tone": words.tone,
        "plural": plural,
        "breakable": breakable,
    }
    environment.globals |= {
        "asset": asset,
        "menu_of": menu_of,
        "words": words,
        "deciders": DECIDERS,
    }
    return environment


def money(minor: int | None, currency_code: str | None, is_signed: bool = False) -> str:
    """Whole minor units as people read them, `1 234.50 EUR`; its spaces never break."""
    if minor is None or not currency_code:
        return ""
    text = format_minor(abs(int(minor)), currency_code)
    whole, dot, part = text.partition(".")
    sign = _MINUS if minor < 0 else "+" if is_signed and minor > 0 else ""
    return f"{sign}{_grouped(whole)}{dot}{part}{_NARROW_SPACE}{currency_code}"


def number(value: int | None) -> str:
    """A count, grouped."""
    if value is None:
        return ""
    return f"{_MINUS if value < 0 else ''}{_grouped(str(abs(int(value))))}"


def breakable(text: object) -> str:
    """An amount that may go on with its currency in the next line, where there is no room."""
    amount, space, unit = str(text).rpartition(_NARROW_SPACE)
    return f"{amount}{_THIN_SPACE}{unit}" if space else unit


def percent(value: Decimal | Fraction | tuple[int, int] | None, places: int = 1) -> str:
    """A fraction, or two whole numbers to divide, as a percentage; empty when there is none."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        if not value[1]:
            return ""
        value = Fraction(*value)
    hundredths = round(Fraction(value) * 100 * 10**places)
    digits = f"{abs(hundredths):0{places + 1}d}"
    shown = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return f"{_MINUS if hundredths < 0 else ''}{shown}{_NARROW_SPACE}%"


def day(value: date | str | None) -> str:
    """A day, `2026-02-28`; text passes as it is."""
    return "" if value is None else str(value)[:10]


def instant(value: datetime | str | None, zone: ZoneInfo) -> str:
    """An instant (naive UTC, or fixed-width text) as a minute in the programme's zone."""
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        value = datetime.fromisoformat(value.replace("Z", "+00:00"))
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return value.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 lead`, `2 leads`."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


@cache
def asset(name: str) -> str:
    """The address of a static file with a digest, so that browsers may keep it for ever."""
    import hashlib

    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def _grouped(digits: str) -> str:
    groups: list[Any] = []
    while len(digits) > 3:  # noqa: PLR2004  (thousands)
        digits, last = digits[:-3], digits[-3:]
        groups.insert(0, last)
    return _NARROW_SPACE.join([digits, *groups])
