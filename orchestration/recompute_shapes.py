"""The formulas of the shapes that an explanation can have (C8): exact numbers in and out.

Written from the rules (C1, C2, C6, C7, M2–M4, R1–R6), not from the models, so that a fault in
either shows. Whole numbers and fractions only. What does not belong here: comparing (`recompute`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

Record = Mapping[str, Any]

DECIDED_SHAPES = ("ruling", "adjustment")
"""Shapes of what people decided: there is nothing to compute."""
WITHDRAWN_SHAPE = "withdrawn"
"""Of a key that the facts do not give any more: taken back to exactly nothing."""
CREDIT_PARTS = 1_000_000


class IncompleteError(Exception):
    """An explanation lacks what its formula needs, or holds what is no number."""


@dataclass(frozen=True)
class Computed:
    """What a formula gives. exact: the whole before its one rounding, whole_amount_minor: after it
    and before the split over partners; both None where there is no such step.

    faults: parts of the explanation that contradict one another.
    """

    amount_minor: int
    payout_amount_minor: int | None = None
    exact: Fraction | None = None
    whole_amount_minor: int | None = None
    faults: tuple[str, ...] = ()


def compute(explanation: Record, partner_id: str) -> Computed:
    """The desired amount from the parts of an explanation whose shape has a formula.

    Raises: IncompleteError; KeyError for a shape without a formula.
    """
    return FORMULAS[explanation["shape"]](_Parts(explanation), partner_id)


def round_half_away(exact: Fraction) -> int:
    """M2: one rounding, half away from zero."""
    size = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return size if exact >= 0 else -size


def part_of(whole_minor: int, credits: Mapping[str, int], partner_id: str) -> int:
    """M3: a partner's part of a whole that is split over all credited partners.

    credits: parts per million by partner. By largest remainder, ties by partner id; a negative
    whole by its absolute value.
    """
    size = abs(whole_minor)
    parts = {who: size * share // CREDIT_PARTS for who, share in credits.items()}
    left = size - sum(parts.values())
    by_remainder = sorted(credits, key=lambda who: (-(size * credits[who] % CREDIT_PARTS), who))
    for who in by_remainder[:left]:
        parts[who] += 1
    part = parts.get(partner_id, 0)
    return part if whole_minor >= 0 else -part


class _Parts:
    """The parts of an explanation as exact numbers. Raises: IncompleteError throughout."""

    def __init__(self, parts: Record) -> None:
        self._parts = parts

    def has(self, name: str) -> bool:
        """Whether a part is there; null means that it does not apply."""
        return self._parts.get(name) is not None

    def text(self, name: str) -> str:
        """A word; empty when absent."""
        return str(self._parts.get(name) or "")

    def flag(self, name: str) -> bool:
        """A yes or no; absent is no."""
        return self._parts.get(name) in (True, "true")

    def whole(self, name: str) -> int:
        """A whole number."""
        found = self.ratio(name)
        if found.denominator != 1:
            raise IncompleteError(name)
        return found.numerator

    def ratio(self, name: str, default: Fraction | None = None) -> Fraction:
        """`n/d`, a decimal or a whole number."""
        found = self._parts.get(name)
        if found is None and default is not None:
            return default
        if found is None or isinstance(found, bool | float):
            raise IncompleteError(name)
        try:
            if isinstance(found, str) and "/" in found:
                above, _, below = found.partition("/")
                return Fraction(above.strip()) / Fraction(below.strip())
            return Fraction(found)
        except (ValueError, TypeError, ZeroDivisionError):
            raise IncompleteError(name) from None

    def below(self, name: str) -> _Parts | None:
        """An object inside; None when absent."""
        found = self._parts.get(name)
        if found is not None and not isinstance(found, Mapping):
            raise IncompleteError(name)
        return None if found is None else _Parts(found)

    def rows(self, name: str) -> list[_Parts]:
        """A list of objects inside."""
        found = self._parts.get(name)
        if not isinstance(found, list) or not all(isinstance(each, Mapping) for each in found):
            raise IncompleteError(name)
        return [_Parts(each) for each in found]

    def split(self, whole_minor: int, partner_id: str) -> int:
        """This partner's part; all of it where nobody else is credited."""
        if not self.has("credits"):
            return whole_minor
        credits = {row.text("partner_id"): row.whole("credit_ppm") for row in self.rows("credits")}
        return part_of(whole_minor, credits, partner_id)

    def converted(self, amount_minor: int) -> int | None:
        """In the payout currency; None where the explanation names no rate."""
        return round_half_away(amount_minor * self.ratio("fx")) if self.has("fx") else None


def _line(parts: _Parts, partner_id: str) -> Computed:
    """C2, C6, C7: base × rate × days, limit, caps, paid share, one rounding, split."""
    base = parts.whole("line_base_amount_minor")
    faults = _base_faults(parts, base)
    rate, tier_faults = _rate(parts)
    faults += tier_faults
    exact = base * rate * parts.ratio("days", Fraction(1))
    if parts.has("limit"):
        bound = parts.whole("limit_amount_minor")
        is_below = exact <= bound
        if is_below != (parts.text("limit") == "minimum") and exact != bound:
            faults.append("limit")
        exact = Fraction(bound)
    paid_share = parts.ratio("paid_share", Fraction(1))
    cap = parts.below("cap")
    if cap is not None:
        left = cap.whole("left_amount_minor")
        if cap.flag("is_part"):
            amount = round_half_away(left * paid_share)
            return Computed(amount, parts.converted(amount), Fraction(left), None, tuple(faults))
        if round_half_away(exact) - cap.whole("cut_amount_minor") != left:
            faults.append("cap")
        exact = Fraction(left)
    whole = round_half_away(exact * paid_share)
    amount = parts.split(whole, partner_id)
    return Computed(amount, parts.converted(amount), exact, whole, tuple(faults))


def _base_faults(parts: _Parts, base: int) -> list[str]:
    if not parts.has("gross_amount_minor"):
        return []
    gross = parts.whole("gross_amount_minor")
    # A plan can leave discounts to the programme; then the base is the gross amount.
    possible = {gross, gross - parts.ratio("discount_amount_minor", Fraction(0))}
    return [] if base in possible else ["base"]


def _rate(parts: _Parts) -> tuple[Fraction, list[str]]:
    """The one rate, or that of the bands weighted by the shares of the line in them."""
    tier = parts.below("tier") if parts.text("rate_from") == "tier" else None
    if tier is None:
        return parts.ratio("rate"), []
    bands = [(band.ratio("rate"), band.ratio("share")) for band in tier.rows("bands")]
    faults = [] if sum(share for _, share in bands) == 1 else ["tier_shares"]
    return sum((rate * share for rate, share in bands), Fraction(0)), faults


def _event(parts: _Parts, partner_id: str) -> Computed:
    """C1: a fixed amount, or a rate of the deal."""
    faults = []
    if parts.has("deal_amount_minor"):
        exact = parts.whole("deal_amount_minor") * parts.ratio("rate")
        whole = round_half_away(exact)
        if parts.has("whole_amount_minor") and parts.whole("whole_amount_minor") != whole:
            faults.append("whole")
    else:
        whole = parts.whole("whole_amount_minor")
        exact = Fraction(whole)
    amount = parts.split(whole, partner_id)
    return Computed(amount, parts.converted(amount), exact, whole, tuple(faults))


def _bonus(parts: _Parts, _: str) -> Computed:
    """C1: once the threshold is reached."""
    amount = parts.whole("whole_amount_minor")
    is_reached = parts.ratio("reached") >= parts.ratio("threshold")
    faults = () if is_reached else ("threshold",)
    return Computed(amount, parts.converted(amount), Fraction(amount), amount, faults)


def _referral(parts: _Parts, _: str) -> Computed:
    """C7: a share of what the referred partner earned."""
    exact = parts.whole("referred_amount_minor") * parts.ratio("rate")
    amount = round_half_away(exact)
    return Computed(amount, parts.converted(amount), exact, amount)


def _takeback(parts: _Parts, _: str) -> Computed:
    """M4, R1: what is reversed after this cause less what was before it, in both currencies."""
    before = _reversed(parts, 0, 0, 0)
    after = _reversed(
        parts,
        parts.whole("invoice_part_minor"),
        parts.whole("line_part_minor"),
        parts.whole("cause_amount_minor"),
    )
    return Computed(before - after, _less_converted(parts, before, after))


def _less_converted(parts: _Parts, before: int, after: int) -> int | None:
    """R10: what was reversed is converted cumulatively too."""
    if not parts.has("fx"):
        return None
    rate = parts.ratio("fx")
    return round_half_away(before * rate) - round_half_away(after * rate)


def _reversed(parts: _Parts, of_invoice: int, of_line: int, of_all: int) -> int:
    """How much of the earning is reversed once these parts have gone back beside earlier ones."""
    earned = parts.whole("earned_amount_minor")
    paid = parts.whole("paid_amount_minor")
    if paid <= 0:
        raise IncompleteError("paid_amount_minor")
    if parts.whole("returned_before_minor") + of_all >= paid:
        return earned
    gone = Fraction(parts.whole("invoice_before_minor") + of_invoice, paid)
    line_gone = parts.whole("line_before_minor") + of_line
    if line_gone:
        # What was paid on the line itself: its total with tax, as far as the invoice was paid.
        line_paid = max(parts.whole("line_total_amount_minor"), 1) * parts.ratio("line_share")
        if line_paid == 0:
            raise IncompleteError("line_share")
        gone += line_gone / line_paid
    size = min(abs(earned), round_half_away(abs(earned) * gone))
    return size if earned >= 0 else -size


def _reinstatement(parts: _Parts, partner_id: str) -> Computed:
    """R2: the very cents that the chargeback took."""
    return _opposite(_takeback(parts, partner_id))


def _opposite(taken: Computed) -> Computed:
    payout = taken.payout_amount_minor
    return Computed(-taken.amount_minor, None if payout is None else -payout)


def _churn(parts: _Parts, _: str) -> Computed:
    """R5: all of it, the share of the days that are missing, or that of the table."""
    share = {
        "full": lambda: Fraction(1),
        "prorated": lambda: 1 - parts.ratio("days_of_access") / _positive(parts, "window_days"),
        "table": lambda: parts.ratio("share", Fraction(0)),
    }.get(parts.text("churn_mode"))
    if share is None:
        raise IncompleteError("churn_mode")
    taken = round_half_away(parts.whole("earned_amount_minor") * share())
    payout = parts.converted(taken)
    return Computed(-taken, None if payout is None else -payout)


def _positive(parts: _Parts, name: str) -> Fraction:
    found = parts.ratio(name)
    if found <= 0:
        raise IncompleteError(name)
    return found


def _void(parts: _Parts, _: str) -> Computed:
    """R4: what is left of the earning."""
    left = parts.whole("earned_amount_minor") + parts.ratio("taken_amount_minor", Fraction(0))
    return Computed(-round_half_away(left))


def _share_of_takeback(parts: _Parts, _: str) -> Computed:
    """C7: as large a share of one's own as was taken of what was referred, cumulatively.

    What was taken counts in the direction of the earning: of a negative one, what was given back.
    """
    own, referred = parts.whole("own_amount_minor"), abs(parts.whole("referred_amount_minor"))
    if referred == 0:
        raise IncompleteError("referred_amount_minor")
    before = round_half_away(Fraction(own * parts.whole("taken_before_minor"), referred))
    after = round_half_away(Fraction(own * parts.whole("taken_after_minor"), referred))
    return Computed(before - after, _less_converted(parts, before, after))


def _share_of_reinstatement(parts: _Parts, partner_id: str) -> Computed:
    """R2: the very cents of the share that was taken."""
    return _opposite(_share_of_takeback(parts, partner_id))


FORMULAS: Mapping[str, Callable[[_Parts, str], Computed]] = {
    "line": _line,
    "event": _event,
    "bonus": _bonus,
    "referral": _referral,
    "takeback": _takeback,
    "reinstatement": _reinstatement,
    "churn": _churn,
    "void": _void,
    "share_of_takeback": _share_of_takeback,
    "share_of_reinstatement": _share_of_reinstatement,
}
SHAPES = (*FORMULAS, *DECIDED_SHAPES, WITHDRAWN_SHAPE)
"""Every shape that this release writes."""
