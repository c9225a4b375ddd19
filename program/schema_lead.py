"""Terms of leads (L1 to L5) and of attribution (A1 to A7), as versions."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StrictInt

from program.schema_base import (
    DEFAULT_EFFECTIVE_FROM,
    Days,
    Domains,
    EffectiveDate,
    Flag,
    PositiveDays,
    Rate,
    Terms,
    Texts,
)

TouchType = Literal[
    "manual_ruling",
    "deal_registration",
    "promotion_code",
    "crm_field",
    "form_field",
    "referral_link",
]
TOUCH_TYPES: tuple[TouchType, ...] = (
    "manual_ruling",
    "deal_registration",
    "promotion_code",
    "crm_field",
    "form_field",
    "referral_link",
)
"""Highest first: the default of `attribution.priority` (A2)."""

Model = Literal["last_touch", "first_touch", "linear", "position_based", "time_decay"]
Decision = Literal["reject", "allow"]
PositiveCount = Annotated[StrictInt, Field(ge=1, le=1_000_000)]


class LeadVersion(Terms):
    """What makes a lead valid, and which submissions are refused."""

    effective_from: EffectiveDate
    """First day, in the programme's zone, on which this version is in force."""
    valid_when: Literal["demo_booked", "signup", "demo_held", "deal_won"] = "demo_booked"
    """Stage at which a lead becomes valid (L2)."""
    scope: Literal["account", "person"] = "account"
    """Whether people of one company are one lead (F4)."""
    protection_days: Days = 90
    """How long another partner's submission is refused (L3). 0 protects nothing."""
    stale_days: PositiveDays = 21
    """Days without movement after which an update is requested (L5)."""
    update_due_days: PositiveDays = 7
    """Days within which such a request is to be answered (L5)."""
    reminder_days: PositiveDays = 3
    """Days between reminders of a request that is overdue (L5)."""
    max_people_per_device: PositiveCount = 10
    """An anonymous id that more people share is a common device and joins nobody (F3)."""
    max_customers_per_mailbox: PositiveCount = 10
    """An e-mail address that more customers share is a common mailbox and joins nobody (F3)."""
    existing_customer: Decision = "reject"
    """A touch on somebody who had paid before it (L4)."""
    open_opportunity: Decision = "reject"
    """A touch on somebody with an open deal created before it (L4)."""
    self_referral: Decision = "reject"
    """A partner who refers itself (L4)."""
    self_referral_allowed: Texts = ()
    """Partner ids, agencies in practice, that may refer themselves (L4)."""
    own_domains: Domains = ()
    """E-mail domains of the programme's own staff."""
    blocked_domains: Domains = ()
    """E-mail domains from which no submission is accepted."""


class PositionBased(Terms):
    """Shares of the first and the last touch; the rest is split over those between (A3)."""

    first: Rate = Decimal("0.4")
    last: Rate = Decimal("0.4")


class TimeDecay(Terms):
    """How fast an older touch loses weight (A3)."""

    half_life_days: PositiveDays = 7


class AttributionVersion(Terms):
    """Who brought the customer: windows, priorities and the model that pays."""

    effective_from: EffectiveDate
    """First day, in the programme's zone, on which this version is in force."""
    model: Model = "last_touch"
    """The model that pays (A3)."""
    compare_models: tuple[Model, ...] = ()
    """Models computed beside it, paying nothing (A7)."""
    touch_window_days: Days = 90
    """How long before the valid event a touch counts, both ends included (A1)."""
    conversion_window_days: Days = 365
    """How long after the valid event the first payment may come (A5)."""
    collapse_repeats: Flag = True
    """Consecutive touches of one partner count once (A3)."""
    priority: tuple[TouchType, ...] = TOUCH_TYPES
    """All touch types, the strongest first (A2)."""
    code_grace_hours: Annotated[StrictInt, Field(ge=0, le=24 * 365)] = 0
    """Hours before a code in which a competing link beats it; 0 means never (A2)."""
    position_based: PositionBased = PositionBased()
    time_decay: TimeDecay = TimeDecay()
    after_earning: Literal["pin", "recompute_until_paid", "recompute"] = "pin"
    """What a later fact may still change once a lead has earned (A6)."""


DEFAULT_LEAD = (LeadVersion(effective_from=DEFAULT_EFFECTIVE_FROM),)
DEFAULT_ATTRIBUTION = (AttributionVersion(effective_from=DEFAULT_EFFECTIVE_FROM),)
