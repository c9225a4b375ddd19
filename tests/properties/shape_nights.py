"""The same facts told over several nights: late, in an earlier state first, and twice.

Belongs here: what of the facts is in the drop folder on which night. Does not belong here: what has
happened by then (M6 hides what lies after `as_of`), any expected value.
"""

from __future__ import annotations

import random

from tests.oracle.facts import Facts, Row

# Told in full from the first night on: who is who must not depend on the night.
AT_ONCE = ("partners", "partner_codes", "products", "contacts", "customers", "subscriptions")
# From a state that a source may tell at first to the one in the facts.
FIRST_STATES = {
    "invoices": {"status": "open", "paid_at": ""},
    "refunds": {"status": "pending"},
    "disputes": {"status": "open", "closed_at": ""},
}


def told_by_night(facts: Facts, nights: int, seed: int) -> list[Facts]:
    """The facts in the drop folder on each night, each night those of the night before and more.

    A row in seven comes a night or two late, some of these in their first state before; a row in
    fourteen is told again. Of each object the last row is that of the facts.
    """
    chance = random.Random(seed)
    told: list[dict[str, list[Row]]] = [{} for _ in range(nights)]
    for entity, rows in facts.items():
        later: list[list[Row]] = [[] for _ in range(nights)]
        for row in rows:
            night = 0
            if entity not in AT_ONCE and chance.random() < 1 / 7:
                night = chance.randrange(1, nights)
                if entity in FIRST_STATES and chance.random() < 0.6:
                    later[chance.randrange(night)].append({**row, **FIRST_STATES[entity]})
            later[night].append(dict(row))
            if chance.random() < 1 / 14:
                later[chance.randrange(night, nights)].append(dict(row))
        known: list[Row] = []
        for number, new in enumerate(later):
            known = known + new
            told[number][entity] = known
    return told
