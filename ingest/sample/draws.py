"""Pseudo randomness as SQL: a draw is a slice of md5(seed, topic, key), so it needs no state.

The same seed, topic and key give the same draw on every machine, in any order and on any number
of threads; md5 is used because DuckDB's own `hash` may change between versions. Only integers
come out: no amount is ever a float. What the draws are used for does not belong here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_SLOT_BITS = 16
_SLOTS = 4


@dataclass(frozen=True)
class Draws:
    """Builder of SQL expressions that draw for one seed."""

    seed: int

    def bits(self, topic: str, key: str, slot: int = 0) -> str:
        """SQL for an integer in 0 … 65535; the four slots of one topic and key are independent."""
        if not 0 <= slot < _SLOTS:
            raise ValueError(f"draw {topic!r} asks for slot {slot}; slots are 0 to {_SLOTS - 1}")
        hashed = f"md5_number_lower(concat('{self.seed}:{topic}:', {key}))"
        return f"((({hashed} >> {slot * _SLOT_BITS}) & 65535)::BIGINT)"

    def pick(self, topic: str, key: str, choices: int | str, slot: int = 0) -> str:
        """SQL for an integer in 0 … choices - 1; choices at most 65536, a number or SQL."""
        return f"(({self.bits(topic, key, slot)} * ({choices})) >> {_SLOT_BITS})"

    def word(self, topic: str, key: str, words: Sequence[str], slot: int = 0) -> str:
        """SQL for one of the words, each equally likely."""
        return f"{sql_list(words)}[1 + {self.pick(topic, key, len(words), slot)}]"

    def weighted(
        self, topic: str, key: str, weights: Sequence[tuple[str, int]], slot: int = 0
    ) -> str:
        """SQL for one of the given SQL values by whole weights, which sum to 100."""
        if sum(weight for _, weight in weights) != 100:
            raise ValueError(f"weights of draw {topic!r} do not sum to 100")
        # A list of a hundred values needs one hash; a CASE would hash once per branch.
        values = ", ".join(value for value, weight in weights for _ in range(weight))
        return f"[{values}][1 + {self.pick(topic, key, 100, slot)}]"

    def instant(self, topic: str, key: str, at: str, *, naive: bool = False) -> str:
        """SQL for an instant as ISO 8601 text: mostly Z, some with an offset, few naive.

        at: SQL of a naive UTC TIMESTAMP with whole seconds. Naive texts are New York wall time
        and only used between 13:00 and 23:00 UTC, which no change of the clocks makes ambiguous.
        """
        draw = self.pick(topic, key, 100)
        zulu = "%Y-%m-%dT%H:%M:%S"
        wall = f"timezone('America/New_York', timezone('UTC', {at}))"
        local = (
            f"when {draw} < 3 and hour({at}) between 13 and 22 then strftime({wall}, '{zulu}')"
            if naive
            else ""
        )
        return (
            f"(case when {at} is null then null {local} "
            f"when {draw} < 5 then strftime({at} + interval 1 hour, '{zulu}+01:00') "
            f"when {draw} < 7 then strftime({at} - interval 5 hour, '{zulu}-05:00') "
            f"else strftime({at}, '{zulu}Z') end)"
        )


def sql_list(words: Sequence[str]) -> str:
    """SQL list literal of texts (no quotes inside: the word lists have none)."""
    return "[" + ", ".join(f"'{word}'" for word in words) + "]"


def utc_text(at: str) -> str:
    """SQL for an instant as ISO 8601 text in UTC; NULL stays NULL."""
    return f"strftime({at}, '%Y-%m-%dT%H:%M:%SZ')"
