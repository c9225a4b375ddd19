"""What credited partners earn on events (C1): once per lead, trigger, component and partner.

Belongs here: which event of a trigger counts, fixed amounts and percent of the first won deal.
Does not belong here: paid lines (commission.py), churn (takebacks.py).
"""

from dataclasses import dataclass
from datetime import datetime

from .attribution import Attribution
from .claims import Claimer, converted_late
from .commission import payout_currency_of
from .earnings import Earning, Part
from .facts import Book, Row
from .fx import Rates
from .leads import Lead, StageEvent
from .money import available_date, is_currency, round_half_away, split
from .plan_terms import Component, PlanVersion
from .rulings import Credits
from .terms import Terms


@dataclass(frozen=True)
class _Priced:
    """What an event comes to; earning is None while it waits for an exchange rate (J6)."""

    earned_at: datetime
    event_at: datetime
    earning: Earning | None


class EventEarner:
    """Computes event commissions from the facts of one night."""

    def __init__(self, book: Book, terms: Terms, rates: Rates, claimer: Claimer) -> None:
        self._book = book
        self._terms = terms
        self._rates = rates
        self._claimer = claimer
        self._partners = {row["partner_id"]: row for row in book.rows("partners")}

    def earnings(self, lead: Lead, attribution: Attribution) -> list[Earning]:
        """C1: event commissions, once per lead, trigger, component and credited partner."""
        if lead.valid_at is None or attribution.is_rejected:
            return []
        held = {partner_id for pin in attribution.pins for partner_id in pin.credits_ppm}
        return [
            earning
            for partner_id in sorted(attribution.paying_ppm.keys() | held)
            for earning in self._earnings_of(partner_id, lead, attribution)
        ]

    def _earnings_of(self, partner_id: str, lead: Lead, attribution: Attribution) -> list[Earning]:
        partner = self._partners[partner_id]
        found: dict[tuple[str, str, str], _Priced] = {}
        shapes = [
            (plan, component)
            for plan in self._terms.plan_versions()
            for component in plan.components_of("event")
        ]
        for plan, component in shapes:
            for trigger in _triggers(lead, attribution, component.trigger):
                # T2: this version must be the one that governs at that event.
                event_at = max(trigger.at, lead.valid_at)
                if self._claimer.plan(partner, lead.valid_at, event_at) != plan:
                    continue
                chosen = self._of_won_day(event_at, lead, component, plan, partner)
                priced = self._priced(trigger, lead, attribution, *chosen, partner)
                if priced is None:
                    continue
                # Decision 0017: of two triggers on one meeting the one earned first counts, of two
                # earned at once the earlier event.
                key = (component.component_id, trigger.source_type, trigger.source_id)
                known = found.get(key)
                at = (priced.earned_at, priced.event_at)
                if known is None or at < (known.earned_at, known.event_at):
                    found[key] = priced
        return [found[key].earning for key in sorted(found) if found[key].earning]

    def _of_won_day(
        self, event_at: datetime, lead: Lead, component: Component, plan: PlanVersion, partner: Row
    ) -> tuple[Component, PlanVersion]:
        """Decision 0017: a share of a deal is that of the version of the day it is earned."""
        if component.rate is None or not lead.won_deals:
            return component, plan
        earned_at = max(event_at, lead.won_deals[0].won_at)
        later = self._claimer.plan(partner, lead.valid_at, earned_at)
        for other in later.components_of("event") if later else ():
            if (other.component_id, other.trigger) == (component.component_id, component.trigger):
                if other.rate is not None:
                    return other, later
        return component, plan

    def _priced(
        self,
        trigger: StageEvent,
        lead: Lead,
        attribution: Attribution,
        component: Component,
        plan: PlanVersion,
        partner: Row,
    ) -> _Priced | None:
        if component.trigger == "first_payment" and converted_late(attribution, lead.first_payment):
            return None  # A5
        event_at = max(trigger.at, lead.valid_at)  # "not before the lead is valid"
        earned_at = event_at
        payout_currency = payout_currency_of(partner, self._terms)
        if not is_currency(payout_currency):
            return None
        if component.rate is None:
            # "in the partner's payout currency (no amount for it: an exception)"
            amount_minor = component.amounts_minor.get(payout_currency)
            currency_code = payout_currency
        else:
            # "at `rate` of the first won deal and then not before it is won"
            if not lead.won_deals:
                return None
            deal = lead.won_deals[0]
            earned_at = max(earned_at, deal.won_at)
            currency_code = deal.currency_code
            amount_minor = None
            if deal.amount_minor is not None:
                amount_minor = round_half_away(deal.amount_minor * component.rate)
        if not amount_minor or not currency_code:
            return None
        credits = attribution.event_credits(trigger.stage, trigger.source_type, trigger.source_id)
        amount_minor = _part(amount_minor, credits, partner["partner_id"])
        if not amount_minor:
            return None
        earned_date = self._book.zone.local_date(earned_at)
        conversion = self._rates.conversion(currency_code, payout_currency, earned_date)
        if conversion is None:
            return _Priced(earned_at, event_at, None)
        held_until = available_date(earned_date, plan.hold_days, plan.hold_after)
        earning = Earning(
            component=component,
            plan=plan,
            partner_id=partner["partner_id"],
            source_type=trigger.source_type,
            source_id=trigger.source_id,
            amount_minor=amount_minor,
            currency_code=currency_code,
            payout_currency_code=payout_currency,
            conversion=conversion,
            earned_at=earned_at,
            parts=(Part(amount_minor, earned_date, held_until),),
        )
        return _Priced(earned_at, event_at, earning)


def _triggers(lead: Lead, attribution: Attribution, stage: str) -> list[StageEvent]:
    """C1: "once per lead and trigger": the first event, then by id.

    Decision 0031: where leads that had earned joined, each event already earned stays.
    """
    events = [event for event in lead.stage_events if event.stage == stage]
    earned = attribution.earned_events
    kept = [e for e in events if (stage, e.source_type, e.source_id) in earned]
    return kept or events[:1]


def _part(whole_minor: int, credits: Credits, partner_id: str) -> int:
    """C2, M3: a partner's part of a whole, 0 for who is not credited."""
    return split(whole_minor, credits).get(partner_id, 0) if credits else 0
