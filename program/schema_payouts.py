"""Terms of payouts (P1 to P4), of approvals, roles and the pilot."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictInt, StrictStr, WithJsonSchema

from program.currencies import exponent, to_minor
from program.schema_base import (
    Amount,
    Amounts,
    Days,
    ExactDecimal,
    Flag,
    PositiveDays,
    Rate,
    Terms,
    Texts,
)

Gate = Literal["status", "terms_accepted", "payee_verified", "tax_form", "screening", "cooling_off"]
GATES: tuple[Gate, ...] = (
    "status",
    "terms_accepted",
    "payee_verified",
    "tax_form",
    "screening",
    "cooling_off",
)
Rail = Literal["csv", "nacha", "sepa", "paypal", "wise"]
DayOfMonth = Annotated[StrictInt, Field(ge=1, le=31)]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DEFAULT_RAIL = "csv"
RAIL_CURRENCY: dict[Rail, str] = {"nacha": "USD", "sepa": "EUR"}
"""Rails that pay one currency only."""

Identity = Literal["os_user", "ssh_signed", "oidc"]
IDENTITIES: tuple[Identity, ...] = ("os_user", "ssh_signed", "oidc")
"""How an approver proves who they are, the weakest first."""

People = Annotated[StrictInt, Field(ge=1, le=20)]
Times = Annotated[ExactDecimal, Field(ge=1, le=1000)]


def _rail_key(value: str) -> str:
    if value != "default":
        exponent(value)
    return value


RailKey = Annotated[
    StrictStr,
    AfterValidator(_rail_key),
    WithJsonSchema({"type": "string", "pattern": "^([A-Z]{3}|default)$"}),
]


class Schedule(Terms):
    """When partners are paid (P4)."""

    frequency: Literal["monthly", "twice_monthly", "weekly"] = "monthly"
    cutoff: Literal["month_end"] = "month_end"
    """Monthly: the end of the month before. Other frequencies: the day before the pay day."""
    pay_day: DayOfMonth = 15
    """Monthly. A day that a month does not have becomes its last day."""
    pay_days: Annotated[tuple[DayOfMonth, ...], Field(min_length=2, max_length=2)] = (1, 15)
    """Twice monthly."""
    pay_weekday: Weekday = "friday"
    """Weekly."""
    business_day: Literal["next", "previous", "any"] = "next"
    """Where a pay date goes that falls on a weekend or a holiday of the rail."""


class Caps(Terms):
    """Brakes: what is larger than these is not paid until somebody has changed the terms."""

    per_partner: Amounts = {}
    """Largest payout per currency, included, in major units; who is due more is left out."""
    per_batch: Amounts = {}
    """Largest batch per currency, included, in major units; a larger one is not exported."""
    payouts_per_batch: Annotated[StrictInt, Field(ge=1, le=1_000_000)] | None = None
    """Most payouts in one batch, included; absent: no limit."""
    times_average: Times | None = Decimal(3)
    """A payout of more than so many times the partner's average is unusual: an exception that
    approvers see first. null: never."""


class DisputeTerms(Terms):
    """How long a partner may dispute a line, and when an answer is due."""

    window_days: PositiveDays = 60
    """Days after the statement in which a partner may open a dispute."""
    answer_days: PositiveDays = 14
    """Days after the opening in which it is to be decided."""


class PayoutTerms(Terms):
    """Who is paid when, by what, from how much on (P2, P3)."""

    schedule: Schedule = Schedule()
    minimum: Amounts = {}
    """Smallest payout per currency, in major units; `>=` pays. No entry: no minimum."""
    rails: dict[RailKey, Rail] = {"default": DEFAULT_RAIL}
    """Rail per currency; `default` for the rest, csv when it is not written."""
    offset_share: Rate = Decimal(1)
    """Share of later earnings that may be netted against a negative balance (P3)."""
    gates: tuple[Gate, ...] = GATES
    """Conditions that a partner must meet to be paid (P2)."""
    cooling_off_days: Days = 7
    """Days for which a partner with new payee details is not paid."""
    night_max_age_days: Days | None = 7
    """Days that the published night may be older than an export; null: however old it is."""
    caps: Caps = Caps()
    disputes: DisputeTerms = DisputeTerms()

    def rail_for(self, currency_code: str) -> str:
        """The rail that pays this currency."""
        return self.rails.get(currency_code) or self.rails.get("default", DEFAULT_RAIL)

    def minimum_minor(self, currency_code: str) -> int:
        """Smallest payout in minor units; 0 when the terms name none for this currency."""
        amount = self.minimum.get(currency_code)
        return 0 if amount is None else to_minor(amount, currency_code)


class ApprovalTier(Terms):
    """How many people of each role must approve a batch up to a total."""

    up_to: Amount | None = None
    """Largest total, included, in major units of the batch's currency; absent: no limit."""
    partnerships: People = 1
    finance: People = 1
    min_identity: Identity | None = None
    """Raises `approvals.min_identity` for batches of this tier."""


class WithExceptions(Terms):
    """How many people at least, when a batch has new details, a first payment or an unusual amount.

    It raises the count of the tier and never lowers it.
    """

    partnerships: People = 1
    finance: People = 1


class Approvals(Terms):
    """Who must agree before money leaves. There is no tier without both roles."""

    tiers: Annotated[tuple[ApprovalTier, ...], Field(min_length=1)] = (ApprovalTier(),)
    expire_days: PositiveDays = 7
    """Days after which an approved batch that was not exported goes stale."""
    min_identity: Identity = "os_user"
    """Weakest proof of identity that counts."""
    with_exceptions: WithExceptions | None = None
    """Absent: exceptions are shown, and the tier alone counts."""


class Roles(Terms):
    """E-mail addresses of the people who may decide."""

    partnerships: Texts = ()
    finance: Texts = ()
    analyst: Texts = ()
    admin: Texts = ()


class Pilot(Terms):
    """Limits payouts to chosen partners; all others are computed and left out."""

    enabled: Flag = False
    partners: Texts = ()
