"""What credited partners earn on paid lines (C2, M3, P1, J6), and why a line earns nothing.

Belongs here: the paid share, the split over partners, the steps of an earning.
Does not belong here: which components pay on a line (claims.py), what the whole line comes to
(shapes.py, caps.py), events (events.py), what is taken back (takebacks.py).
"""

from fractions import Fraction

from .caps import Cut
from .claims import Claim
from .earnings import Earning, Part
from .facts import Book, Row
from .fx import Rates
from .money import available_date, is_currency, round_half_away, split
from .shapes import Shapes
from .terms import Terms


class Earner:
    """Makes earnings of claims."""

    def __init__(self, book: Book, terms: Terms, rates: Rates, shapes: Shapes) -> None:
        self._book = book
        self._terms = terms
        self._rates = rates
        self._shapes = shapes

    def earning(self, claim: Claim, cut: Cut | None) -> Earning | str:
        """What a claim earns, or the reason why nothing (B6). cut: what caps left, if they cut."""
        whole = self._shapes.whole(claim)
        if whole is None:
            return "no_fx_rate"
        if cut is not None and 0 in (cut.left_minor, cut.left_part_minor):
            return "capped"
        parts: list[Part] = []
        earned = 0
        for paid_at, share in claim.invoice.share_steps:
            # C2: a later payment is a further difference, effective on its day.
            target = _target(claim, whole, cut, share)
            if target != earned:
                paid_date = self._book.zone.local_date(paid_at)
                held_until = available_date(paid_date, claim.plan.hold_days, claim.plan.hold_after)
                parts.append(Part(target - earned, paid_date, held_until))
                earned = target
        if earned == 0:
            return "zero_amount"
        payout_currency = payout_currency_of(claim.partner, self._terms)
        if not is_currency(payout_currency):
            return "no_payout_currency"
        earned_at = claim.invoice.first_paid_at
        conversion = self._rates.conversion(
            claim.invoice.currency_code, payout_currency, self._book.zone.local_date(earned_at)
        )
        if conversion is None:
            return "no_fx_rate"  # J6: the line waits as an exception
        rates = self._shapes.rates(claim)
        return Earning(
            component=claim.component,
            plan=claim.plan,
            partner_id=claim.partner_id,
            source_type="invoice_line",
            source_id=claim.line.line_id,
            amount_minor=earned,
            currency_code=claim.invoice.currency_code,
            payout_currency_code=payout_currency,
            conversion=conversion,
            earned_at=earned_at,
            parts=tuple(parts),
            line=claim.line,
            invoice=claim.invoice,
            rate=rates[0][0] if len(rates) == 1 else None,
        )


def _target(claim: Claim, whole: Fraction, cut: Cut | None, share: Fraction) -> int:
    """Decision 0038, 4: what a partner has come to once so much of the invoice is paid.

    Rounded once from the exact whole, or from the whole number that caps left of it. M3 splits the
    whole so far. A part that was cut is not split again; the credits of a compared model may give
    a smaller one.
    """
    if cut is not None and cut.left_minor is not None:
        whole = Fraction(cut.left_minor)
    if cut is not None and cut.left_part_minor is not None:
        if _part(round_half_away(whole), claim) > cut.left_part_minor:
            return round_half_away(cut.left_part_minor * share)
    return _part(round_half_away(whole * share), claim)


def _part(whole_minor: int, claim: Claim) -> int:
    return split(whole_minor, claim.credits).get(claim.partner_id, 0)


def payout_currency_of(partner: Row, terms: Terms) -> str:
    """The partner's own currency, else that of the programme's reports."""
    return partner.get("payout_currency") or terms.reporting_currency
