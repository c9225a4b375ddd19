"""What outweighs the computation: rulings of people and pins of earlier nights (A6).

Belongs here: which ruling or pin holds for a lead, one of its customers or one of its events.
Does not belong here: what the touches alone come to (attribution.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

Credits = Mapping[str, int]  # partner_id -> parts per million, summing to a million; or empty
Earned = tuple[set[str], set[tuple[str, str, str]]]  # customers and events on which a lead earned


@dataclass(frozen=True)
class Ruling:
    """An approved ruling in force; record (`entity:id`) names the lead, no credits: nobody.

    members: the lead as it was when people ruled on it; left out, as it is tonight.
    """

    record: str
    credits_ppm: Credits
    members: frozenset[str] | None = None


@dataclass(frozen=True, eq=False)
class Pin:
    """The credits under which a lead first earned, and what it has earned on since.

    night, earned_on: when it was pinned, and the day of its first earning; by these leads have
    their age (decision 0031). customers: ids of the customers whose lines earned; events:
    (trigger, source_type, source_id) of the events that did.
    """

    night: int
    earned_on: date
    members: frozenset[str]
    credits_ppm: Credits
    customers: frozenset[str]
    events: frozenset[tuple[str, str, str]]


def rulings_on(members: frozenset[str], rulings: Iterable[Ruling]) -> list[Ruling]:
    """The rulings on any record of the lead, oldest first."""
    return [ruling for ruling in rulings if ruling.record in members]


def pin_under(rulings: Sequence[Ruling], pin: Pin) -> Pin:
    """The pin with the credits of the newest ruling that reaches what was earned under it.

    rulings: those on the lead. One that was made on another lead, before the two joined, does not.
    """
    reaching = [r for r in rulings if r.members is None or r.members & pin.members]
    return replace(pin, credits_ppm=reaching[-1].credits_ppm) if reaching else pin


def pins_of(members: frozenset[str], pins: Iterable[Pin]) -> tuple[Pin, ...]:
    """The pins of every lead that this one has grown from, the one that earned first first."""
    held = [pin for pin in pins if pin.members & members]
    return tuple(sorted(held, key=lambda pin: (pin.night, pin.earned_on, min(pin.members))))


def pins_after(
    earned: Mapping[frozenset[str], Earned],
    credits: Mapping[frozenset[str], Credits],
    earned_on: Mapping[frozenset[str], date],
    pins: Sequence[Pin],
) -> tuple[Pin, ...]:
    """The pins for the next night: a lead that earned for the first time is held to its credits.

    earned, credits, earned_on: by members of the lead; who has no credits here is not pinned.
    Earlier pins stay; in joined leads a new customer or event follows the one that earned first.
    """
    known: dict[Pin, Earned] = {pin: (set(pin.customers), set(pin.events)) for pin in pins}
    night = 1 + max((pin.night for pin in pins), default=0)
    new = []
    for members, (customers, events) in earned.items():
        held = pins_of(members, pins)
        if held:
            known[held[0]][0].update(customers.difference(*(pin.customers for pin in held)))
            known[held[0]][1].update(events.difference(*(pin.events for pin in held)))
        elif members in credits:
            new.append(
                Pin(
                    night,
                    earned_on[members],
                    members,
                    credits[members],
                    frozenset(customers),
                    frozenset(events),
                )
            )
    kept = [
        replace(pin, customers=frozenset(customers), events=frozenset(events))
        for pin, (customers, events) in known.items()
    ]
    return (*kept, *new)
