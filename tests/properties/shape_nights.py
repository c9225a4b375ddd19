"""The same facts told over several nights: late, in other states first, and twice.

Belongs here: what of the facts is in the drop folder on which night. Does not belong here: what has
happened by then (M6 hides what lies after `as_of`), any expected value.
"""

from __future__ import annotations

import random

from tests.oracle.facts import Facts, Row

# Told from the first night on: who is who must not depend on the night.
AT_ONCE = ("partners", "partner_codes", "products", "contacts", "customers", "subscriptions")
# What a source may say of an object before it says what is in the facts. A directory's word has no
# date: what was posted by it stays (decision 0018).
DIRECTORY: dict[str, tuple[Row, ...]] = {
    "partners": ({"referred_by": "p_eur"}, {"referred_by": ""}, {"joined_at": "2025-04-15"}),
    "customers": ({"country": "FR"}, {"country": "AT"}, {"country": ""}),
}
FIRST_STATES: dict[str, tuple[Row, ...]] = {
    "invoices": ({"status": "open", "paid_at": ""}, {"status": "void"}),
    "invoice_lines": ({"amount_minor": "777"}, {"discount_minor": "5", "product_id": "prod_use"}),
    "payments": ({"amount_minor": "100"},),
    "refunds": ({"status": "pending"}, {"status": "succeeded"}),
    "disputes": ({"status": "open", "closed_at": ""},),
    "credit_notes": ({"voided_at": ""}, {"kind": "post_payment"}),
}


def told_by_night(facts: Facts, nights: int, seed: int, *, directory_changes: bool) -> list[Facts]:
    """The facts in the drop folder on each night, each night those of the night before and more.

    A row in seven comes a night or two late (of the few partners every other), most of these in
    another state before; a row in fourteen is told again. Of each object the last row is that of
    the facts. directory_changes: whether partners and customers have another state before, too.
    """
    chance = random.Random(seed)
    first_states = FIRST_STATES | (DIRECTORY if directory_changes else {})
    told: list[dict[str, list[Row]]] = [{} for _ in range(nights)]
    for entity, rows in facts.items():
        later: list[list[Row]] = [[] for _ in range(nights)]
        for row in rows:
            is_late = chance.random() < (1 / 2 if entity == "partners" else 1 / 7)
            night = chance.randrange(1, nights) if is_late else 0
            states = first_states.get(entity)
            if entity in AT_ONCE and not states:
                night = 0
            if night and states and (entity in AT_ONCE or chance.random() < 0.7):
                first = 0 if entity in AT_ONCE else chance.randrange(night)
                later[first].append(row | chance.choice(states))
            later[night].append(dict(row))
            if chance.random() < 1 / 14:
                later[chance.randrange(night, nights)].append(dict(row))
        known: list[Row] = []
        for number, new in enumerate(later):
            known = known + new
            told[number][entity] = known
    return told
