"""What a partner earns on partners that it referred (C7, decision 0041).

Belongs here: whose earnings are shared, for how long, and the share of what is taken back.
Does not belong here: the earnings that are shared and what takes them back (commission.py,
events.py, takebacks.py).
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from fractions import Fraction

from .claims import Claimer
from .commission import payout_currency_of
from .earnings import Earning, Part
from .facts import Book, Row
from .fx import Rates
from .money import add_months, available_date, is_currency, round_half_away
from .plan_terms import Component, PlanVersion
from .takebacks import TakeBack, payout_of, reversed_available
from .terms import Terms


class Referrers:
    """Computes the shares of referrers from the earnings of one night."""

    def __init__(
        self,
        book: Book,
        terms: Terms,
        rates: Rates,
        claimer: Claimer,
        kept: Mapping[str, tuple[str, date]],
    ) -> None:
        """kept: who has which share that was posted, and the day of joining it was judged by."""
        self._book = book
        self._terms = terms
        self._rates = rates
        self._claimer = claimer
        self.kept = dict(kept)
        self._partners = {row["partner_id"]: row for row in book.rows("partners")}

    def shares(
        self, earnings: Iterable[tuple[Earning, list[TakeBack]]]
    ) -> Iterator[tuple[Earning, list[TakeBack]]]:
        """The share of each earning of a referred partner, with what is taken back of it."""
        for referred, take_backs in earnings:
            partner = self._partners[referred.partner_id]
            # Decisions 0018, 0041: a posted share keeps its referrer and its day of joining.
            today = (partner.get("referred_by", ""), self._book.local_date(partner, "joined_at"))
            referrer_id, joined = self.kept.get(referred.reference, today)
            referrer = self._partners.get(referrer_id)
            if referrer is None or joined is None or referrer is partner:
                continue
            earned = self._book.zone.local_date(referred.earned_at)
            plan = self._claimer.plan_of_days(referrer, joined, earned)
            for component in plan.components_of("partner_referral") if plan else ():
                # [joined, joined + N months) in local days
                if joined <= earned < add_months(joined, component.referral_months):
                    share = self._share(referred, referrer, plan, component)
                    if share is not None:
                        self.kept[referred.reference] = (referrer_id, joined)
                        yield share, self._taken_back(share, referred, take_backs)

    def _share(
        self, referred: Earning, referrer: Row, plan: PlanVersion, component: Component
    ) -> Earning | None:
        """Each part of the earning gives its part, held by the referrer's own version."""
        parts: list[Part] = []
        referred_minor = share_minor = 0
        for part in referred.parts:
            referred_minor += part.amount_minor
            target = round_half_away(referred_minor * component.rate)
            if target != share_minor:
                held_until = available_date(part.effective_date, plan.hold_days, plan.hold_after)
                parts.append(Part(target - share_minor, part.effective_date, held_until))
                share_minor = target
        payout_currency = payout_currency_of(referrer, self._terms)
        if share_minor == 0 or not is_currency(payout_currency):
            return None
        conversion = self._rates.conversion(
            referred.currency_code,
            payout_currency,
            self._book.zone.local_date(referred.earned_at),
        )
        if conversion is None:
            return None
        return Earning(
            component=component,
            plan=plan,
            partner_id=referrer["partner_id"],
            source_type="commission",
            source_id=referred.reference,
            amount_minor=share_minor,
            currency_code=referred.currency_code,
            payout_currency_code=payout_currency,
            conversion=conversion,
            earned_at=referred.earned_at,
            parts=tuple(parts),
        )

    def _taken_back(
        self, share: Earning, referred: Earning, take_backs: list[TakeBack]
    ) -> list[TakeBack]:
        """round(own x taken so far / earned), less what was taken before (M4), in event order.

        A dispute that is won gives back what it took: taken so far falls to what it was.
        """
        rows: list[TakeBack] = []
        taken = 0
        for theirs in take_backs:
            before, after = (
                round_half_away(Fraction(share.amount_minor * reached, referred.amount_minor))
                for reached in (taken, taken - theirs.amount_minor)
            )
            taken -= theirs.amount_minor
            available = reversed_available(share, before, after)
            if theirs.effective_at is not None:
                available = max(available, self._book.zone.local_date(theirs.effective_at))
            if theirs.kind == "reinstatement":
                available = max(available, rows[-1].available_date)
            rows.append(
                TakeBack(
                    kind=theirs.kind,
                    cause_type=theirs.cause_type,
                    cause_id=theirs.cause_id,
                    amount_minor=before - after,
                    payout_amount_minor=payout_of(share, before) - payout_of(share, after),
                    effective_at=theirs.effective_at,
                    available_date=available,
                )
            )
        return rows
