"""The whole of `program.yml`, and every part of the terms under one import.

The parts stand in `schema_lead`, `schema_plans`, `schema_payouts`, `schema_risk`,
`schema_notices` and `schema_sources`. The schema accepts what each setting can say; `lint` refuses
what contradicts.
"""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StrictStr

from program.schema_base import CurrencyCode, DistinctNames, Identifier, Terms, Text
from program.schema_lead import (
    DEFAULT_ATTRIBUTION,
    DEFAULT_LEAD,
    AttributionVersion,
    LeadVersion,
)
from program.schema_notices import Notices
from program.schema_payouts import Approvals, PayoutTerms, Pilot, Roles
from program.schema_plans import Override, Plan, PlanVersion
from program.schema_risk import Risk
from program.schema_sources import Sources

__all__ = [
    "Approvals",
    "AttributionVersion",
    "LeadVersion",
    "Notices",
    "Override",
    "PayoutTerms",
    "Pilot",
    "Plan",
    "PlanVersion",
    "Program",
    "ProgramIdentity",
    "Risk",
    "Roles",
    "Sources",
]


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(
            f"{value[:60]!r} is not an IANA time zone; write one such as America/New_York"
        ) from None
    return value


Timezone = Annotated[StrictStr, AfterValidator(_timezone)]


class ProgramIdentity(Terms):
    """Which programme this is, whose money it pays, and where its days begin."""

    id: Identifier
    name: Text
    legal_entity: Text
    timezone: Timezone
    """IANA name. Days, months and cut-offs are taken here (M5)."""
    reporting_currency: CurrencyCode


class Program(Terms):
    """All terms of a partner programme."""

    program: ProgramIdentity
    lead: Annotated[tuple[LeadVersion, ...], Field(min_length=1)] = DEFAULT_LEAD
    attribution: Annotated[tuple[AttributionVersion, ...], Field(min_length=1)] = (
        DEFAULT_ATTRIBUTION
    )
    plans: Annotated[tuple[Plan, ...], Field(min_length=1)]
    groups: Annotated[dict[Text, Text], DistinctNames]
    """Plan per partner group; `default` for partners of any other or no group."""
    overrides: tuple[Override, ...] = ()
    payouts: PayoutTerms = PayoutTerms()
    approvals: Approvals = Approvals()
    roles: Roles = Roles()
    pilot: Pilot = Pilot()
    risk: Risk = Risk()
    notices: Notices = Notices()
