"""Which components pay on a line, for which credited partner (C2, C3, A5, T2).

Belongs here: the plan that governs, products, kinds, credits, the window of duration and of
conversion, and the reason why a component pays nothing (B6).
Does not belong here: rates and amounts (shapes.py, tiers.py, caps.py), when it is posted
(commission.py).
"""

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from .attribution import Attribution
from .billing import Invoice, Line, Payment
from .clocks import Clocks
from .facts import Book, Row
from .leads import Lead
from .plan_terms import Component, PlanVersion
from .rulings import Credits
from .terms import Terms

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
    "stopped_after_gap",
    "outside_duration",
    "conversion_window",
    "capped",
    "zero_amount",
    "no_payout_currency",
    "no_fx_rate",
    "duplicate_invoice",
)


@dataclass(frozen=True, eq=False)
class Claim:
    """A line on which a component pays for a credited partner; days_share: of C3, never 0."""

    invoice: Invoice
    line: Line
    lead: Lead
    partner: Row
    credits: Credits
    plan: PlanVersion
    component: Component
    days_share: Fraction

    @property
    def partner_id(self) -> str:
        """Whose claim it is."""
        return self.partner["partner_id"]

    @property
    def key(self) -> tuple[str, str, str]:
        """Line, partner, component: a partner has one plan on a line."""
        return self.line.line_id, self.partner_id, self.component.component_id

    @property
    def order(self) -> tuple[datetime, str]:
        """Decision 0037: "by first payment, then line id"."""
        return self.invoice.first_paid_at, self.line.line_id

    @property
    def scope(self) -> tuple[str, str, str]:
        """C5: "counts are per partner, plan and component", over all versions of the plan."""
        return self.partner_id, self.plan.plan_id, self.component.component_id

    @property
    def base_minor(self) -> int:
        """C2: amount - discounts, without tax; `discounts: ignore` leaves them with the company."""
        if self.component.base.get("discounts", "reduce") == "ignore":
            return self.line.amount_minor
        return self.line.amount_minor - self.line.discount_minor


class Claimer:
    """Finds the claims on a line."""

    def __init__(self, book: Book, terms: Terms, clocks: Clocks) -> None:
        self._book = book
        self._terms = terms
        self._clocks = clocks
        self._partners = {row["partner_id"]: row for row in book.rows("partners")}

    def claims(
        self, invoice: Invoice, line: Line, attribution: Attribution | None, lead: Lead | None
    ) -> tuple[list[Claim], list[str]]:
        """The claims on a paid line in order of partner, and why else nobody has one (B6)."""
        if lead is None:
            return [], ["no_lead"]
        if lead.valid_at is None:
            return [], ["lead_not_valid"]
        if attribution is None:
            return [], ["no_attribution"]
        if attribution.is_rejected:
            return [], ["lead_rejected"]
        credits = attribution.customer_credits(invoice.customer_id)
        if not credits:
            return [], ["no_attribution"]
        claims, reasons = [], []
        for partner_id in sorted(credits):
            partner = self._partners[partner_id]
            plan = self.plan(partner, lead.valid_at, invoice.first_paid_at)
            components = plan.components_of("recurring") if plan else []
            if not components:
                reasons.append("no_component" if plan else "no_plan")
            for component in components:
                share = self._share(invoice, line, component, attribution, lead)
                if isinstance(share, str):
                    reasons.append(share)
                    continue
                claims.append(Claim(invoice, line, lead, partner, credits, plan, component, share))
        return claims, reasons

    def plan(self, partner: Row, valid_at: datetime, event_at: datetime) -> PlanVersion | None:
        """T2: pinned at the valid event; a version that follows `current` gives way each event."""
        zone = self._book.zone
        return self.plan_of_days(partner, zone.local_date(valid_at), zone.local_date(event_at))

    def plan_of_days(self, partner: Row, valid: date, event: date) -> PlanVersion | None:
        """T2, by the local days of the valid event and of the event."""
        pinned = self._terms.plan(partner, valid)
        if pinned is None or pinned.terms_follow == "pinned":
            return pinned
        return self._terms.plan(partner, event)

    def _share(
        self,
        invoice: Invoice,
        line: Line,
        component: Component,
        attribution: Attribution,
        lead: Lead,
    ) -> Fraction | str:
        refused = _refused(line, component)
        if refused:
            return refused
        share = self._clocks.share(invoice, line, component)
        if isinstance(share, str):
            return share
        if converted_late(attribution, lead.first_payment) and not attribution.had_joined(
            invoice.customer_id
        ):
            return "conversion_window"
        return share


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


def converted_late(attribution: Attribution, first_payment: Payment | None) -> bool:
    """A5: the first payment comes later than the window after the valid event."""
    if first_payment is None or attribution.conversion_ends_at is None:
        return False
    return first_payment.paid_at > attribution.conversion_ends_at
