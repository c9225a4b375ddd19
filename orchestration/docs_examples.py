"""Small worked examples in numbers for the pages on terms, computed from the very settings.

Decision 0037 says how a tier counts. What does not belong here: what a real line earned; that is in
the journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from orchestration.docs_words import listed, minor_amount, percent, rounded

if TYPE_CHECKING:
    from program.schema_plans import Band, ChurnPolicy, Tiers

_EXAMPLE_MAJOR = 100
_SPANS = {"month": "in one month", "quarter": "in one quarter", "year": "in one year", "life": ""}
_ORDINALS = ("the first", "the second", "the third")


def tier_example(tiers: Tiers, reporting_currency: str) -> str:
    """One sentence or two; empty where a single band leaves nothing to show."""
    if len(tiers.bands) < 2:
        return ""
    span = _SPANS[tiers.period]
    start = f"Example, {span}: " if span else "Example: "
    if tiers.metric == "revenue":
        text = _by_revenue(tiers, reporting_currency)
    else:
        text = _by_count(tiers, reporting_currency)
    return start + text if text else ""


def churn_example(churn: ChurnPolicy, reporting_currency: str) -> str:
    """What a proration takes back of a round amount."""
    unit = _unit(reporting_currency)
    days = churn.window_days // 3
    missing = churn.window_days - days
    taken = minor_amount(rounded(Fraction(unit * missing, churn.window_days)), reporting_currency)
    return (
        f"Example: access ends on day {days}, so {missing} of {churn.window_days} days are "
        f"missing; of {minor_amount(unit, reporting_currency)} {taken} is taken back."
    )


def _unit(currency_code: str) -> int:
    from program.currencies import exponent

    return _EXAMPLE_MAJOR * 10 ** exponent(currency_code)


def _band(bands: Sequence[Band], reached: Fraction | int) -> Band:
    return [band for band in bands if band.from_value <= reached][-1]


def _by_count(tiers: Tiers, currency_code: str) -> str:
    """As many payers as reach the second band and one more; then the first of them pays again."""
    unit, bands = _unit(currency_code), tiers.bands
    places = int(bands[1].from_value) + 1
    if tiers.mode == "whole":
        reached = [_band(bands, places)] * (places + 1)
    elif tiers.mode == "marginal":
        reached = [*(_band(bands, place - 1) for place in range(1, places + 1)), bands[0]]
    else:
        # A lead is valid before it pays, so it counts itself; a customer is new by paying.
        own = 1 if tiers.metric == "conversions" else 0
        reached = [_band(bands, place - 1 + own) for place in range(1, places + 1)]
        reached.append(_band(bands, places))
    earned = [rounded(Fraction(band.rate) * unit) for band in reached]
    each = minor_amount(unit, currency_code)
    who = (
        f"{places} new customers pay {each} each"
        if tiers.metric == "customers"
        else f"{places} leads become valid and pay {each} each, one after the other"
    )
    total = minor_amount(sum(earned), currency_code)
    told = [*_runs(earned[:-1], currency_code)]
    told.append(f"{minor_amount(earned[-1], currency_code)} for the last payment")
    if len(set(earned)) == 1:
        told = [f"{minor_amount(earned[0], currency_code)} for each of these payments"]
    return (
        f"{who}, and then the first of them {each} more. You earn {listed(told, 'and')}, "
        f"together {total}."
    )


def _runs(earned: Sequence[int], currency_code: str) -> list[str]:
    """The places in a row that earn the same."""
    texts, place = [], 0
    for value, run in groupby(earned):
        length = len(list(run))
        first, place = place + 1, place + length
        of_each = minor_amount(value, currency_code)
        if length == 1:
            texts.append(f"{of_each} for number {first}")
        else:
            texts.append(f"{of_each} each for numbers {first} to {place}")
    return texts


def _by_revenue(tiers: Tiers, currency_code: str) -> str:
    """Three payments of 80, 40 and 40 percent of what reaches the second band."""
    from program.currencies import to_minor

    threshold = to_minor(tiers.bands[1].from_value, currency_code)
    payments = [threshold * 4 // 5, threshold * 2 // 5, threshold * 2 // 5]
    if not payments[1]:
        return ""
    starts = [to_minor(band.from_value, currency_code) for band in tiers.bands]
    rates = [Fraction(band.rate) for band in tiers.bands]
    total, before, earned, parts_told = sum(payments), 0, [], []
    for number, payment in enumerate(payments):
        if tiers.mode == "marginal":
            parts = _parts(starts, before, before + payment)
        else:
            position = total if tiers.mode == "whole" else before
            parts = [(max(i for i, start in enumerate(starts) if start <= position), payment)]
        earned.append(rounded(sum((rates[band] * part for band, part in parts), Fraction())))
        if len(parts) > 1:
            texts = [
                f"{minor_amount(part, currency_code)} at {percent(tiers.bands[band].rate)}"
                for band, part in parts
            ]
            parts_told.append(f"{_ORDINALS[number]} counts {listed(texts, 'and')}")
        before += payment
    paid = listed([minor_amount(payment, currency_code) for payment in payments], "and")
    told = listed([minor_amount(value, currency_code) for value in earned], "and")
    because = f" ({'; '.join(parts_told)})" if parts_told else ""
    return f"your customers pay {paid}. You earn {told}{because}."


def _parts(starts: Sequence[int], low: int, high: int) -> list[tuple[int, int]]:
    """How much of [low, high) lies in each band: its position and amount."""
    ends = [end for _, end in pairwise([*starts, high])]
    shares = [
        (band, min(high, max(end, start)) - max(low, start))
        for band, (start, end) in enumerate(zip(starts, ends, strict=True))
    ]
    return [(band, share) for band, share in shares if share > 0]
