"""Terms of plans: what partners earn (C1 to C7), when it may be paid, what takes it back."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictInt, StrictStr, WithJsonSchema

from program.countries import is_country
from program.schema_base import (
    MAXIMUM_MONTHS,
    Amount,
    Amounts,
    Days,
    DistinctNames,
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


def _country(value: str) -> str:
    if not is_country(value):
        written = value.strip().upper()
        hint = f"write {written}" if is_country(written) else "write two capitals such as DE"
        raise ValueError(f"{value[:40]!r} is not a country code of ISO 3166; {hint}")
    return value


def _as_set(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))


CountryCode = Annotated[
    StrictStr,
    AfterValidator(_country),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{2}$"}),
]
CountryCodes = Annotated[tuple[CountryCode, ...], Field(min_length=1), AfterValidator(_as_set)]
"""A set of countries: order and repetition mean nothing."""


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
    """Products of kind one_off."""
    usage: Inclusion = "include"
    """Products of kind usage."""
    setup: Inclusion = "include"
    """Products of kind setup."""
    credits: Inclusion = "include"
    """Negative lines that are not prorations."""
    shipping: Inclusion = "exclude"
    """Products of kind shipping."""


class Products(Terms):
    """Products that earn. An empty `include` means all that are not excluded."""

    include: Texts = ()
    """Ids of the only products that earn; lines without a product do not."""
    exclude: Texts = ()
    """Ids of products that do not earn."""


class Band(Terms):
    """From this much on, this rate. Bands are half-open (C5)."""

    from_value: Amount = Field(alias="from")
    """A count; for metric revenue an amount of the reporting currency. The first band is from 0."""
    rate: Rate


class Tiers(Terms):
    """Rates by reached volume (C5)."""

    metric: Metric
    """`customers`: new in the period; `conversions`: leads that became valid; `revenue`: base."""
    period: Period
    """Of the programme's calendar; `life` never starts again."""
    mode: Literal["marginal", "whole", "forward"] = "marginal"
    """`marginal`: each part by its own band; `whole`: the reached band for the whole period, also
    for what came before; `forward`: from the next payment on."""
    bands: Annotated[tuple[Band, ...], Field(min_length=1)]
    """In order of from; a total of exactly `from` has reached the band."""


class Caps(Terms):
    """Most that a component pays, per currency (C6)."""

    per_invoice: Amounts = {}
    """Of all lines of one invoice."""
    per_customer: Amounts = {}
    """Of one customer, for life."""
    per_partner_month: Amounts = {}
    """Of one partner in a calendar month of first payments."""
    per_programme_month: Amounts = {}
    """Of all partners together in a calendar month of first payments."""


class Condition(Terms):
    """A rate for customers of some countries; the first that matches counts (C7)."""

    country: CountryCodes
    """Codes of ISO 3166 such as DE, as in the customers' billing addresses."""
    rate: Rate


class Reactivation(Terms):
    """What a gap in service does to the clock of `duration` (C4)."""

    mode: Literal["continue", "restart", "stop"] = "continue"
    """`continue`: the clock runs on; `restart`: it begins again; `stop`: nothing more is earned."""
    gap_days: PositiveDays | None = None
    """Days without paid service from which on it is a gap; for `restart` and `stop`."""


class RecurringComponent(Terms):
    """A share of each paid invoice line (C1)."""

    id: Identifier
    kind: Literal["recurring"]
    rate: Rate
    """For lines that no other setting gives a rate: first payment, conditions, product, tiers."""
    duration: Duration = Duration()
    base: Base = Base()
    products: Products = Products()
    tiers: Tiers | None = None
    caps: Caps | None = None
    first_payment_rate: Rate | None = None
    """For the customer's first payment ever, before all other rates."""
    product_rates: Annotated[dict[Text, Rate], DistinctNames] = {}
    """By product id, after the conditions and before the tiers."""
    conditions: tuple[Condition, ...] = ()
    """By country of the customer, after the first payment and before the products."""
    minimum: Amounts = {}
    """Least that a line with a positive base earns, before credits and caps."""
    maximum: Amounts = {}
    """Most that a line with a positive base earns, before credits and caps."""
    reactivation: Reactivation = Reactivation()


class EventComponent(Terms):
    """A fixed amount, or a share of the first won deal, once per lead and trigger (C1)."""

    id: Identifier
    kind: Literal["event"]
    trigger: Trigger
    amount: Amounts | None = None
    """Per currency, in major units."""
    rate: Rate | None = None
    """Share of the first won deal; then there is no amount."""


class BonusComponent(Terms):
    """A fixed amount, once per period, when a partner reaches a threshold (C1)."""

    id: Identifier
    kind: Literal["bonus"]
    metric: Metric
    """`customers`: who pay for the first time; `conversions`: leads that became valid; `revenue`:
    paid lines after discounts."""
    period: Period
    """Of the programme's calendar; `life` pays once."""
    threshold: Amount
    """A count; for metric revenue an amount of the reporting currency. Reaching it is enough."""
    amount: Annotated[Amounts, Field(min_length=1)]
    """Per currency, in major units; the partner's payout currency decides."""


class PartnerReferralComponent(Terms):
    """A share of what referred partners earn (C7)."""

    id: Identifier
    kind: Literal["partner_referral"]
    rate: Rate
    """Share of each recurring and event commission of the referred partner."""
    months: Annotated[StrictInt, Field(ge=1, le=MAXIMUM_MONTHS)]
    """Months from the day on which the referred partner joined."""


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
    """Days to wait; 0 pays with the next payout."""
    after: Literal["paid", "event", "month_end"] = "paid"
    """What the days are counted from: the payment or event, or the end of its month."""


class RefundPolicy(Terms):
    """What a refund takes back (R1)."""

    mode: Literal["proportional", "none"] = "proportional"
    """`proportional`: as much of the earning as was refunded of the payment; `none`: nothing."""


class ChargebackPolicy(Terms):
    """What a dispute does while it is open, when it is lost, when it is won (R2)."""

    on_open: Literal["hold", "reverse", "none"] = "hold"
    """`hold`: the earning waits; `reverse`: it is taken back at once; `none`: nothing happens."""
    on_lost: Literal["reverse", "none"] = "reverse"
    """`reverse`: taken back, unless the opening did; `none`: the earning stays."""
    on_won: Literal["release"] = "release"
    """The hold ends; what the opening took back is given back to the cent."""


class ChurnBand(Terms):
    """Share taken back when access ended less than so many days after the anchor."""

    under_days: PositiveDays
    """Exclusive, and from the row before on."""
    share: Rate
    """What is taken back; 1.0 is all of it."""


class ChurnPolicy(Terms):
    """What early churn takes back from event commissions (R5)."""

    window_days: PositiveDays
    """Exclusive."""
    mode: Literal["full", "prorated", "table"] = "full"
    """`full`: everything; `prorated`: the share of the window's days that are missing; `table`."""
    table: tuple[ChurnBand, ...] = ()
    """Rows in order of under_days; days without a row take nothing back."""


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
    """Id of a plan."""
    effective_from: EffectiveDate
    """First day, in the programme's zone; until the partner's next override."""
