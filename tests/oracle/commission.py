"""What credited partners earn (C1-C3, M3, P1): recurring lines and event commissions.

Belongs here: the earning rows and the reason why a paid line earns nothing.
Does not belong here: what is taken back (takebacks.py), which partners are credited.
An amount is computed whole under each partner's own plan, rounded once, and split over all credited
partners of the lead; the partner takes its part.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction

from .attribution import Attribution
from .billing import Billing, Invoice, Line, Payment
from .facts import Book, Row
from .fx import Conversion, Rates
from .leads import Lead, StageEvent
from .money import add_months, available_date, is_currency, round_half_away, split
from .rulings import Credits
from .terms import Component, PlanVersion, Terms

REASONS = (
    "no_lead",
    "lead_not_valid",
    "lead_rejected",
    "no_attribution",
    "no_plan",
    "no_component",
    "product_excluded",
    "kind_excluded",
    "credit_excluded",
    "outside_duration",
    "conversion_window",
    "zero_amount",
    "no_payout_currency",
    "no_fx_rate",
    "duplicate_invoice",
)


@dataclass(frozen=True)
class Part:
    """One posted step of an earning paid in parts (C2): its day and the end of its hold (P1).

    With several partners a step may be a cent against the others: M3 splits the growing whole anew.
    """

    amount_minor: int
    effective_date: date
    available_date: date


@dataclass(frozen=True)
class Earning:
    """One earning with what its take-backs need."""

    component: Component
    plan: PlanVersion
    partner_id: str
    source_type: str
    source_id: str
    amount_minor: int
    currency_code: str
    payout_currency_code: str
    conversion: Conversion
    earned_at: datetime
    parts: tuple[Part, ...] = field(default=())
    line: Line | None = None
    invoice: Invoice | None = None

    @property
    def available_date(self) -> date:
        """P1: the line shows the latest of its entries."""
        return max(part.available_date for part in self.parts)


class Earner:
    """Computes earnings from the facts of one night."""

    def __init__(self, book: Book, terms: Terms, billing: Billing, rates: Rates) -> None:
        self._book = book
        self._terms = terms
        self._billing = billing
        self._rates = rates
        self._partners = {row["partner_id"]: row for row in book.rows("partners")}

    def line_earnings(
        self, invoice: Invoice, line: Line, attribution: Attribution | None, lead: Lead | None
    ) -> tuple[list[Earning], str]:
        """Earnings of one paid line by partner, or the reason why there is none (B6)."""
        if lead is None:
            return [], "no_lead"
        if lead.valid_at is None:
            return [], "lead_not_valid"
        if attribution is None:
            return [], "no_attribution"
        if attribution.is_rejected:
            return [], "lead_rejected"
        credits = attribution.customer_credits(invoice.customer_id)
        if not credits:
            return [], "no_attribution"
        earnings, reasons = [], []
        for partner_id in sorted(credits):
            partner = self._partners[partner_id]
            plan = self._plan(partner, lead.valid_at, invoice.first_paid_at)
            components = [c for c in plan.components if c.kind == "recurring"] if plan else []
            if not components:
                reasons.append("no_component" if plan else "no_plan")
            for component in components:
                outcome = self._recurring(
                    invoice, line, component, plan, partner, attribution, lead.first_payment
                )
                if isinstance(outcome, Earning):
                    earnings.append(outcome)
                else:
                    reasons.append(outcome)
        return earnings, "" if earnings else max(reasons, key=REASONS.index)

    def event_earnings(self, lead: Lead, attribution: Attribution) -> list[Earning]:
        """C1: event commissions, once per lead, trigger, component and credited partner."""
        if lead.valid_at is None or attribution.is_rejected:
            return []
        held = {partner_id for pin in attribution.pins for partner_id in pin.credits_ppm}
        return [
            earning
            for partner_id in sorted(attribution.paying_ppm.keys() | held)
            for earning in self._event_earnings_of(partner_id, lead, attribution)
        ]

    def _event_earnings_of(
        self, partner_id: str, lead: Lead, attribution: Attribution
    ) -> list[Earning]:
        partner = self._partners[partner_id]
        found: dict[tuple[str, str, str], Earning] = {}
        shapes = [
            (plan, component)
            for plan in self._terms.plan_versions()
            for component in plan.components
            if component.kind == "event"
        ]
        for plan, component in shapes:
            for trigger in _triggers(lead, attribution, component.trigger):
                earning = self._event(trigger, lead, attribution, component, plan, partner)
                if earning is None:
                    continue
                # T2: this version must be the one that governs at that event.
                if self._plan(partner, lead.valid_at, earning.earned_at) != plan:
                    continue
                key = (component.component_id, trigger.source_type, trigger.source_id)
                known = found.get(key)
                if known is None or earning.earned_at < known.earned_at:
                    found[key] = earning
        return [found[key] for key in sorted(found)]

    def _plan(self, partner: Row, valid_at: datetime, event_at: datetime) -> PlanVersion | None:
        """T2: pinned at the valid event; a version that follows `current` gives way each event."""
        pinned = self._terms.plan(partner, self._book.zone.local_date(valid_at))
        if pinned is None or pinned.terms_follow == "pinned":
            return pinned
        return self._terms.plan(partner, self._book.zone.local_date(event_at))

    def _payout_currency(self, partner: Row) -> str:
        return partner.get("payout_currency") or self._terms.reporting_currency

    def _recurring(
        self,
        invoice: Invoice,
        line: Line,
        component: Component,
        plan: PlanVersion,
        partner: Row,
        attribution: Attribution,
        first_payment: Payment | None,
    ) -> Earning | str:
        refused = _refused(line, component)
        if refused:
            return refused
        duration_share = self._duration_share(invoice, line, component)
        if duration_share == 0:
            return "outside_duration"
        if _converted_late(attribution, first_payment) and not attribution.had_joined(
            invoice.customer_id
        ):
            return "conversion_window"
        credits = attribution.customer_credits(invoice.customer_id)
        parts = []
        earned = 0
        for paid_at, share in invoice.share_steps:
            # M2: base x rate x paid share x days share, rounded once; C2: a later payment is a
            # further difference, effective on its day; M3: the whole so far is what is split.
            whole = _base(line, component) * component.rate
            target = _part(
                round_half_away(whole * share * duration_share), credits, partner["partner_id"]
            )
            if target != earned:
                paid_date = self._book.zone.local_date(paid_at)
                held_until = available_date(paid_date, plan.hold_days, plan.hold_after)
                parts.append(Part(target - earned, paid_date, held_until))
                earned = target
        if earned == 0:
            return "zero_amount"
        payout_currency = self._payout_currency(partner)
        if not is_currency(payout_currency):
            return "no_payout_currency"
        earned_at = invoice.first_paid_at
        conversion = self._rates.conversion(
            invoice.currency_code, payout_currency, self._book.zone.local_date(earned_at)
        )
        if conversion is None:
            return "no_fx_rate"  # J6: the line waits as an exception
        return Earning(
            component=component,
            plan=plan,
            partner_id=partner["partner_id"],
            source_type="invoice_line",
            source_id=line.line_id,
            amount_minor=earned,
            currency_code=invoice.currency_code,
            payout_currency_code=payout_currency,
            conversion=conversion,
            earned_at=earned_at,
            parts=tuple(parts),
            line=line,
            invoice=invoice,
        )

    def _duration_share(self, invoice: Invoice, line: Line, component: Component) -> Fraction:
        """C3: 1, 0, or for `service_period` the share of the service days in the window."""
        if component.months is None:
            return Fraction(1)  # for life
        anchor = self._billing.anchor_line(invoice.customer_id)
        if anchor is None:
            return Fraction(0)
        if component.months == 0:  # the first payment only: the invoice of the anchor line
            return Fraction(int(line.invoice_id == anchor.invoice_id))
        opens, closes = anchor.start_date, add_months(anchor.start_date, component.months)
        start, end = line.start_date, line.end_date
        if component.basis == "service_period" and end is not None and end > start:
            inside = (min(end, closes) - max(start, opens)).days
            return Fraction(max(inside, 0), (end - start).days)
        return Fraction(int(opens <= start < closes))

    def _event(
        self,
        trigger: StageEvent,
        lead: Lead,
        attribution: Attribution,
        component: Component,
        plan: PlanVersion,
        partner: Row,
    ) -> Earning | None:
        if component.trigger == "first_payment" and _converted_late(
            attribution, lead.first_payment
        ):
            return None  # A5
        earned_at = max(trigger.at, lead.valid_at)  # "not before the lead is valid"
        payout_currency = self._payout_currency(partner)
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
            return None
        held_until = available_date(earned_date, plan.hold_days, plan.hold_after)
        return Earning(
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


def _base(line: Line, component: Component) -> int:
    """C2: amount - discounts, without tax; `discounts: ignore` leaves them with the company."""
    if component.base.get("discounts", "reduce") == "ignore":
        return line.amount_minor
    return line.amount_minor - line.discount_minor


def _refused(line: Line, component: Component) -> str:
    """C2: product include and exclude, kinds, and credits that are no proration."""
    if component.products_include and line.product_id not in component.products_include:
        return "product_excluded"
    if line.product_id and line.product_id in component.products_exclude:
        return "product_excluded"
    kind = line.product_kind
    if kind != "recurring" and component.base.get(kind, "include") == "exclude":
        return "kind_excluded"
    if line.amount_minor < 0 and not line.is_proration:
        if component.base.get("credits", "include") == "exclude":
            return "credit_excluded"
    return ""


def _converted_late(attribution: Attribution, first_payment: Payment | None) -> bool:
    """A5: the first payment comes later than the window after the valid event."""
    if first_payment is None or attribution.conversion_ends_at is None:
        return False
    return first_payment.paid_at > attribution.conversion_ends_at


def churn_anchor(billing: Billing, lead: Lead) -> date | None:
    """R5: the earliest C3 anchor among the lead's customers."""
    anchors = [billing.anchor_line(customer_id) for customer_id in lead.customer_ids]
    return min((line.start_date for line in anchors if line), default=None)


def too_old(plan: PlanVersion, earned_at: datetime, taken_at: datetime) -> bool:
    """R8: later than `max_age_days` (N x 24 hours) after it was earned."""
    return plan.max_age_days is not None and taken_at > earned_at + timedelta(
        days=plan.max_age_days
    )
