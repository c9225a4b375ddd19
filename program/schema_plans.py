"""Terms of plans: what partners earn (C1 to C7), when it may be paid, what takes it back."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt

from program.schema_base import (
    Amount,
    Amounts,
    Days,
    EffectiveDate,
    Identifier,
    Months,
    PositiveDays,
    Rate,
    Terms,
    Text,
    Texts,
)

Trigger = Literal["signup", "demo_booked", "demo_held", "deal_won", "first_payment"]
Metric = Literal["customers", "conversions", "revenue"]
Period = Literal["month", "quarter", "year", "life"]
Inclusion = Literal["include", "exclude"]


class Duration(Terms):
    """How long a customer's lines earn (C3)."""

    months: Months | None = None
    """Number of months from the anchor; null is for life, 0 the first payment only."""
    basis: Literal["charge_start", "service_period"] = "charge_start"
    """Whether a line counts by its start, or by the share of its days inside the window."""


class Base(Terms):
    """Which parts of an invoice line earn (C2)."""

    discounts: Literal["reduce", "ignore"] = "reduce"
    """`reduce`: the partner bears discounts; `ignore`: the programme does."""
    one_off: Inclusion = "include"
    usage: Inclusion = "include"
    setup: Inclusion = "include"
    credits: Inclusion = "include"
    """Negative lines that are not prorations."""
    shipping: Inclusion = "exclude"


class Products(Terms):
    """Products that earn. An empty `include` means all that are not excluded."""

    include: Texts = ()
    exclude: Texts = ()


class Band(Terms):
    """From this much on, this rate. Bands are half-open (C5)."""

    from_value: Amount = Field(alias="from")
    rate: Rate


class Tiers(Terms):
    """Rates by reached volume (C5)."""

    metric: Metric
    period: Period
    mode: Literal["marginal", "whole", "forward"] = "marginal"
    bands: Annotated[tuple[Band, ...], Field(min_length=1)]


class Caps(Terms):
    """Most that a component pays, per currency (C6)."""

    per_invoice: Amounts = {}
    per_customer: Amounts = {}
    per_partner_month: Amounts = {}
    per_programme_month: Amounts = {}


class Condition(Terms):
    """A rate for customers of some countries; the first that matches counts (C7)."""

    country: Annotated[Texts, Field(min_length=1)]
    rate: Rate


class Reactivation(Terms):
    """What a gap in service does to the clock of `duration` (C4)."""

    mode: Literal["continue", "restart", "stop"] = "continue"
    gap_days: PositiveDays | None = None


class RecurringComponent(Terms):
    """A share of each paid invoice line (C1)."""

    id: Identifier
    kind: Literal["recurring"]
    rate: Rate
    duration: Duration = Duration()
    base: Base = Base()
    products: Products = Products()
    tiers: Tiers | None = None
    caps: Caps | None = None
    first_payment_rate: Rate | None = None
    product_rates: dict[Text, Rate] = {}
    conditions: tuple[Condition, ...] = ()
    minimum: Amounts = {}
    maximum: Amounts = {}
    reactivation: Reactivation = Reactivation()


class EventComponent(Terms):
    """A fixed amount, or a share of the first won deal, once per lead and trigger (C1)."""

    id: Identifier
    kind: Literal["event"]
    trigger: Trigger
    amount: Amounts | None = None
    """Per currency, in major units."""
    rate: Rate | None = None
    """Share of the first won deal."""


class BonusComponent(Terms):
    """A fixed amount, once per period, when a partner reaches a threshold (C1)."""

    id: Identifier
    kind: Literal["bonus"]
    metric: Metric
    period: Period
    threshold: Amount
    amount: Annotated[Amounts, Field(min_length=1)]


class PartnerReferralComponent(Terms):
    """A share of what referred partners earn (C7)."""

    id: Identifier
    kind: Literal["partner_referral"]
    rate: Rate
    months: Annotated[StrictInt, Field(ge=1)]


Component = RecurringComponent | EventComponent | BonusComponent | PartnerReferralComponent

COMPONENT_MODELS: dict[str, type[Terms]] = {
    "recurring": RecurringComponent,
    "event": EventComponent,
    "bonus": BonusComponent,
    "partner_referral": PartnerReferralComponent,
}


class Hold(Terms):
    """How long an earning waits before it may be paid (P1)."""

    days: Days = 30
    after: Literal["paid", "event", "month_end"] = "paid"


class RefundPolicy(Terms):
    """What a refund takes back (R1)."""

    mode: Literal["proportional", "none"] = "proportional"


class ChargebackPolicy(Terms):
    """What a dispute does while it is open, when it is lost, when it is won (R2)."""

    on_open: Literal["hold", "reverse", "none"] = "hold"
    on_lost: Literal["reverse", "none"] = "reverse"
    on_won: Literal["release"] = "release"


class ChurnBand(Terms):
    """Share taken back when access ended less than so many days after the anchor."""

    under_days: PositiveDays
    share: Rate


class ChurnPolicy(Terms):
    """What early churn takes back from event commissions (R5)."""

    window_days: PositiveDays
    """Exclusive."""
    mode: Literal["full", "prorated", "table"] = "full"
    table: tuple[ChurnBand, ...] = ()


class Clawback(Terms):
    """What takes money back (R1 to R9)."""

    refund: RefundPolicy = RefundPolicy()
    chargeback: ChargebackPolicy = ChargebackPolicy()
    churn: ChurnPolicy | None = None
    """Absent: churn takes nothing back."""
    max_age_days: Days | None = None
    """Nothing is taken back later than this after it was earned; absent: no limit (R8)."""


class PlanVersion(Terms):
    """One version of a plan. Once used it is immutable (T1)."""

    effective_from: EffectiveDate
    """First day, in the programme's zone, on which this version is in force."""
    terms_follow: Literal["pinned", "current"] = "pinned"
    """`pinned`: the version at the lead's valid event; `current`: that of each event (T2)."""
    components: tuple[Annotated[Component, Field(discriminator="kind")], ...]
    hold: Hold = Hold()
    clawback: Clawback = Clawback()


class Plan(Terms):
    """A named set of versions."""

    id: Identifier
    versions: Annotated[tuple[PlanVersion, ...], Field(min_length=1)]


class Override(Terms):
    """A plan of a partner's own from a day on, before its group's (T2)."""

    partner_id: Text
    plan: Text
    effective_from: EffectiveDate
