"""What other models would have paid (A7).

Belongs here: which leads a model is compared over, the two sums per partner and currency.
Does not belong here: what an earning comes to under given credits (engine.py).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from .attribution import Attribution
from .earnings import Earning
from .leads import Lead

RECOMPUTED = "recomputed"  # the paying model without rulings and pins

Attributions = Mapping[frozenset[str], Attribution]
Earned = Iterable[tuple[Lead, Earning]]


def comparison(
    attributions: Attributions,
    paying: list[tuple[Lead, Earning]],
    earnings_under: Callable[[Attributions], Earned],
) -> dict[tuple[str, str, str], tuple[int, int]]:
    """Over the leads for which a model is computed, what pays and what the model would pay.

    paying: the earnings of lines and events; bonuses and shares of referrers are no lead's.
    """
    found: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    models = {model for a in attributions.values() for model in a.compare_models}
    for model in sorted(models | {RECOMPUTED}):
        under = {
            members: a.under(a.model if model == RECOMPUTED else model)
            for members, a in attributions.items()
            if model == RECOMPUTED or model in a.compare_models
        }
        earned = ([e for e in paying if e[0].members in under], earnings_under(under))
        for position, earnings in enumerate(earned):
            for _, earning in earnings:
                key = (model, earning.partner_id, earning.currency_code)
                found[key][position] += earning.amount_minor
    return {key: (paid, other) for key, (paid, other) in found.items() if paid or other}
