"""The programme's terms as the oracle reads them (T1, T2): versions by local day.

Belongs here: which version is in force on a day, which plan governs a partner, `lead` and
`attribution` with their defaults.
Does not belong here: the plans' own settings (plan_terms.py), validation of terms (T3), or what the
terms make of a fact.
The programme is a plain dict in the shape of program.yml, its numbers int or Decimal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from .mail import normalise_domain
from .plan_terms import PlanVersion, day_of, fraction_of, plan_version

Program = Mapping[str, Any]

DEFAULT_PRIORITY = (
    "manual_ruling",
    "deal_registration",
    "promotion_code",
    "crm_field",
    "form_field",
    "referral_link",
)


@dataclass(frozen=True)
class LeadRules:
    """One version of `lead`."""

    effective_from: date
    valid_when: str
    scope: str
    protection_days: int
    existing_customer: str
    open_opportunity: str
    self_referral: str
    self_referral_allowed: frozenset[str]
    own_domains: frozenset[str]
    blocked_domains: frozenset[str]
    max_people_per_device: int
    max_customers_per_mailbox: int


@dataclass(frozen=True)
class AttributionRules:
    """One version of `attribution`."""

    effective_from: date
    model: str
    compare_models: tuple[str, ...]
    touch_window_days: int
    conversion_window_days: int | None
    collapse_repeats: bool
    priority: tuple[str, ...]
    code_grace_hours: int
    position_first: Fraction
    position_last: Fraction
    half_life_days: int
    after_earning: str


class Terms:
    """All terms, asked by local day."""

    def __init__(self, program: Program) -> None:
        head = program["program"]
        self.timezone: str = head["timezone"]
        self.reporting_currency: str = head["reporting_currency"]
        self._lead = _sorted([_lead_rules(v) for v in program["lead"]])
        self._attribution = _sorted([_attribution_rules(v) for v in program["attribution"]])
        self._plans = {
            plan["id"]: _sorted(
                [plan_version(plan["id"], v, self.reporting_currency) for v in plan["versions"]]
            )
            for plan in program["plans"]
        }
        self._groups: Mapping[str, str] = program.get("groups") or {}
        self._overrides = program.get("overrides") or []

    def lead_rules(self, day: date) -> LeadRules | None:
        """The version of `lead` in force on a local day; None before the first."""
        return _in_force(self._lead, day)

    def first_lead_rules(self) -> LeadRules:
        """The earliest version of `lead`."""
        return self._lead[0]

    def attribution_rules(self, day: date) -> AttributionRules | None:
        """The version of `attribution` in force on a local day; None before the first."""
        return _in_force(self._attribution, day)

    def first_attribution_rules(self) -> AttributionRules:
        """The earliest version of `attribution`."""
        return self._attribution[0]

    def plan(self, partner: Mapping[str, str], day: date) -> PlanVersion | None:
        """T2: partner override > group > programme default, in force on a local day."""
        overrides = [
            (day_of(o["effective_from"]), o["plan"])
            for o in self._overrides
            if o["partner_id"] == partner["partner_id"] and day_of(o["effective_from"]) <= day
        ]
        if overrides:
            plan_id = max(overrides)[1]
        else:
            group = partner.get("group", "")
            plan_id = self._groups.get(group, self._groups.get("default"))
        return _in_force(self._plans[plan_id], day) if plan_id in self._plans else None

    def plan_versions(self) -> list[PlanVersion]:
        """Every version of every plan, by plan id and day."""
        return [version for plan_id in sorted(self._plans) for version in self._plans[plan_id]]


def _sorted(versions: list[Any]) -> list[Any]:
    return sorted(versions, key=lambda version: version.effective_from)


def _in_force(versions: Sequence[Any], day: date) -> Any | None:
    begun = [version for version in versions if version.effective_from <= day]
    return begun[-1] if begun else None


def _lead_rules(given: Mapping[str, Any]) -> LeadRules:
    return LeadRules(
        effective_from=day_of(given["effective_from"]),
        valid_when=given.get("valid_when", "demo_booked"),
        scope=given.get("scope", "account"),
        protection_days=int(given.get("protection_days", 90)),
        existing_customer=given.get("existing_customer", "reject"),
        open_opportunity=given.get("open_opportunity", "reject"),
        self_referral=given.get("self_referral", "reject"),
        self_referral_allowed=frozenset(given.get("self_referral_allowed") or ()),
        own_domains=frozenset(normalise_domain(d) for d in given.get("own_domains") or ()),
        blocked_domains=frozenset(normalise_domain(d) for d in given.get("blocked_domains") or ()),
        max_people_per_device=int(given.get("max_people_per_device", 10)),
        max_customers_per_mailbox=int(given.get("max_customers_per_mailbox", 10)),
    )


def _attribution_rules(given: Mapping[str, Any]) -> AttributionRules:
    conversion = given.get("conversion_window_days", 365)
    positions = {"first": "0.4", "last": "0.4"} | dict(given.get("position_based") or {})
    decay = given.get("time_decay") or {}
    return AttributionRules(
        effective_from=day_of(given["effective_from"]),
        model=given.get("model", "last_touch"),
        compare_models=tuple(given.get("compare_models") or ()),
        touch_window_days=int(given.get("touch_window_days", 90)),
        conversion_window_days=None if conversion is None else int(conversion),
        collapse_repeats=bool(given.get("collapse_repeats", True)),
        priority=tuple(given.get("priority") or DEFAULT_PRIORITY),
        code_grace_hours=int(given.get("code_grace_hours", 0)),
        position_first=fraction_of(positions["first"]),
        position_last=fraction_of(positions["last"]),
        half_life_days=int(decay.get("half_life_days", 7)),
        after_earning=given.get("after_earning", "pin"),
    )
