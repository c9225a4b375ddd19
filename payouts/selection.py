"""Who is in a batch and who is left out, with exactly one reason (P2). Pure.

What belongs here: the order of reasons. What does not: reading entries or writing batches.

Order: ``pilot``, ``not_positive``, ``below_minimum``, the gates in configured order,
``name_not_allowed``. A partner outside the pilot is told that first, because nothing else can
matter yet. A gate is named only when the amount would otherwise be paid: it then is the one thing
that the partner can act on. Worked example: net 40.00, minimum 50.00 and no tax form shows
``below_minimum``; net 60.00 and no tax form shows ``tax_form``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from payouts.files.plain_text import plain_text_fault
from payouts.payees import Payee, failed_gate
from payouts.terms import PayoutRules

NAME_NOT_ALLOWED = "name_not_allowed"


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
) -> str | None:
    """The reason why a partner is not paid, None when it is.

    amount_minor: net over all payable entries, signed. The minimum pays: ``>=``.
    """
    if rules.is_pilot_only and not (is_pilot or partner_id in rules.pilot_partners):
        return "pilot"
    if amount_minor <= 0:
        return "not_positive"
    if amount_minor < rules.minimums_minor.get(currency_code, 0):
        return "below_minimum"
    gate = failed_gate(rules.gates, partner_status, payees.get(partner_id), as_of)
    if gate is not None:
        return gate
    # One partner's text must not block everybody else's money at the export, which refuses it.
    if plain_text_fault(partner_name or "") or plain_text_fault(partner_id):
        return NAME_NOT_ALLOWED
    return None
