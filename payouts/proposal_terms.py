"""The payout terms under which a batch was proposed, and what has changed about them since.

What belongs here: the terms that decide who is in a batch, with how much and when; recording them
with the proposal, and comparing. What does not: the rail and the legal entity, which the batch
itself names (``freshness``), and terms that are asked again at each step: approvals, caps on a
whole batch. Decision 0059.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from payouts import events
from payouts.records import subject
from payouts.terms import PayoutRules

# In the payload of `batch_proposed`; batches of before have none and are not judged.
PAYLOAD_KEY = "payout_terms"
_NOT_SET = "not set"


def proposal_terms(rules: PayoutRules, currency_code: str) -> dict[str, Any]:
    """What decides about batches of a currency: plain value by the setting's place in program.yml.

    Amounts as text in major units. Order and duplicates in lists decide nothing and are left out.
    """
    pilot = {"pilot.partners": sorted(rules.pilot_partners)} if rules.is_pilot_only else {}
    return {
        **{f"payouts.schedule.{name}": value for name, value in rules.schedule.items()},
        f"payouts.minimum.{currency_code}": _major(
            rules.minimums_minor.get(currency_code) or None, currency_code
        ),
        f"payouts.caps.per_partner.{currency_code}": _major(
            rules.caps.per_partner_minor.get(currency_code), currency_code
        ),
        "payouts.offset_share": f"{rules.offset_share.normalize():f}",
        "payouts.gates": sorted(set(rules.gates)),
        "pilot.enabled": rules.is_pilot_only,
        **pilot,
    }


def changed_terms(connection: Connection, batch_id: str, rules: PayoutRules, code: str) -> list:
    """Settings that are others today than when a batch was proposed, each as old → new.

    A setting that the proposal did not record, because it was made by an earlier release, is not
    judged.
    """
    first = events.of_subject(connection, subject(batch_id))[0]
    then: Mapping[str, Any] = first.payload.get(PAYLOAD_KEY) or {}
    now = proposal_terms(rules, code)
    return [
        f"{name} has changed since the proposal: {_shown(then[name])} → {_shown(now[name])}"
        for name in sorted(then.keys() & now.keys())
        if then[name] != now[name]
    ]


def _major(amount_minor: int | None, currency_code: str) -> str | None:
    from program.currencies import format_minor

    return None if amount_minor is None else format_minor(amount_minor, currency_code)


def _shown(value: Any) -> str:
    if value is None:
        return _NOT_SET
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)
