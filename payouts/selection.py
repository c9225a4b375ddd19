"""Who is in a batch and who is left out, with exactly one reason (P2). Pure.

What belongs here: the order of reasons. What does not: reading entries or writing batches.

Order: ``pilot``, ``offset_waits``, ``not_positive``, ``below_minimum``, ``over_cap``, the gates in
configured order, ``payout_details``, ``name_not_allowed``. A partner outside the pilot is told that
first, because nothing else can matter yet. A gate is named only when the amount would otherwise be
paid: it then is the one thing that the partner can act on. Worked example: net 40.00, minimum 50.00
and no tax form shows ``below_minimum``; net 60.00 and no tax form shows ``tax_form``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from payouts.files.plain_text import plain_text_fault
from payouts.payees import Payee, failed_gate
from payouts.terms import PayoutRules

OFFSET_WAITS = "offset_waits"
OVER_CAP = "over_cap"
PAYOUT_DETAILS = "payout_details"
NAME_NOT_ALLOWED = "name_not_allowed"
# Rails whose files name an account; csv names the partner and leaves the account to who pays.
RAILS_WITH_DETAILS = ("sepa", "nacha", "paypal", "wise")


def left_out_reason(
    *,
    partner_id: str,
    partner_name: str | None,
    partner_status: str | None,
    is_pilot: bool,
    amount_minor: int,
    currency_code: str,
    payees: Mapping[str, Payee],
    rules: PayoutRules,
    as_of: date,
    is_waiting: bool = False,
) -> str | None:
    """The reason why a partner is not paid, None when it is.

    amount_minor: net over all payable entries, signed. The minimum pays: ``>=``, and so does the
    cap itself. is_waiting: a live batch nets a part of what the partner owes (P3).
    """
    if rules.is_pilot_only and not (is_pilot or partner_id in rules.pilot_partners):
        return "pilot"
    if is_waiting:
        return OFFSET_WAITS
    if amount_minor <= 0:
        return "not_positive"
    if amount_minor < rules.minimums_minor.get(currency_code, 0):
        return "below_minimum"
    cap_minor = rules.caps.per_partner_minor.get(currency_code)
    if cap_minor is not None and amount_minor > cap_minor:
        return OVER_CAP
    gate = failed_gate(rules.gates, partner_status, payees.get(partner_id), as_of)
    if gate is not None:
        return gate
    rail = rules.rail_for(currency_code)
    if rail in RAILS_WITH_DETAILS and not has_details(payees.get(partner_id), rail):
        return PAYOUT_DETAILS
    # One partner's text must not block everybody else's money at the export, which refuses it.
    if plain_text_fault(partner_name or "") or plain_text_fault(partner_id):
        return NAME_NOT_ALLOWED
    return None


def has_details(payee: Payee | None, rail: str) -> bool:
    """Whether details in force can be paid by this rail."""
    return payee is not None and payee.details_id is not None and payee.rail == rail
