"""What follows from a file: which outcomes apply, which are known, which contradict what is known.

What belongs here: the decision, as pure functions over states. What does not: reading files and
recording (``applying``). Decision 0051.

A line that is not certain changes nothing and becomes a discrepancy for people; the other lines of
the file count. An amount that differs is never applied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from payouts.outcomes import (
    ABORTED,
    APPLIES,
    FAILED,
    KNOWN,
    RETURNED,
    SETTLED,
    ItemState,
    after,
    judge,
)
from payouts.settlement.outcome import Outcome, payout_hex
from payouts.settlement.reading import CAMT053, CAMT054, PAIN002
from payouts.settlement.references import References

UNKNOWN_PAYOUT, SEVERAL_PAYOUTS, OTHER_BATCH = "unknown_payout", "several_payouts", "other_batch"
AMOUNT_DIFFERS, AMOUNT_MISSING = "amount_differs", "amount_missing"
WRONG_CURRENCY, TOTAL_DIFFERS = "wrong_currency", "total_differs"
CONTRADICTS, BOOKED_TWICE, VALUE_DATE = "contradicts", "booked_twice", "value_date"
_STATEMENTS = (CAMT053, CAMT054)
# A value date outside of these is a typing error of somebody, not a date of this payment.
_LATEST_DAYS = 31


@dataclass(frozen=True)
class Discrepancy:
    """One line that was not applied, and why. Ids, amounts and dates only."""

    kind: str
    line: int
    payout_id: str | None
    batch_id: str | None
    detail: str


@dataclass(frozen=True)
class PlannedOutcome:
    """One outcome that applies. ``item`` is the payout before it, amounts are what was exported."""

    item: ItemState
    outcome: Outcome

    @property
    def gives_back(self) -> bool:
        """Whether it puts the amount back on the balance; repetitions of it are not planned."""
        return self.outcome.outcome in (FAILED, RETURNED)


@dataclass
class Plan:
    """What a file would change. known: lines that say what is recorded. unrelated: other lines."""

    applied: list[PlannedOutcome] = field(default_factory=list)
    known: int = 0
    unrelated: int = 0
    discrepancies: list[Discrepancy] = field(default_factory=list)


@dataclass(frozen=True)
class Situation:
    """What is known when a file is read. cutoff_dates: of each batch, no payment is older.

    last_day: the later of the day of reading and the pay date, by batch. only_batch: lines of
    other batches are not applied.
    """

    items: Mapping[str, ItemState]
    references: References
    cutoff_dates: Mapping[str, date]
    last_days: Mapping[str, date]
    file_format: str
    only_batch: str | None = None


def plan_outcomes(outcomes: list[Outcome], situation: Situation) -> Plan:
    """Decide on every line, in the order of the file."""
    planner = _Planner(situation)
    for outcome in outcomes:
        planner.add(outcome)
    return planner.plan


class _Planner:
    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self.plan = Plan()
        self.items = dict(situation.items)
        self.named: set[str] = set()
        self.debited_here: set[str] = set()

    def add(self, outcome: Outcome) -> None:
        meant = self.situation.references.payouts_of(outcome)
        if not meant:
            self._unknown(outcome)
        elif outcome.key_kind == "batch_total":
            self._add_total(outcome, meant)
        else:
            self._add_single(outcome, meant)

    def _unknown(self, outcome: Outcome) -> None:
        # A statement holds everything else on the account too; there, only what has the form of
        # our ids concerns us. Other files are about our payouts alone.
        looks_ours = payout_hex(outcome.key) or outcome.key.startswith("b-")
        if self.situation.file_format in _STATEMENTS and not looks_ours:
            self.plan.unrelated += 1
            return
        self._discrepancy(
            UNKNOWN_PAYOUT, outcome, None,
            f"the reference of this {outcome.outcome} payment belongs to no exported payout",
        )  # fmt: skip

    def _add_single(self, outcome: Outcome, meant: tuple[str, ...]) -> None:
        if len(meant) > 1 and outcome.amount_minor is not None:
            # A trace number comes again in later files; the amount tells them apart.
            meant = tuple(
                payout_id
                for payout_id in meant
                if self.items[payout_id].amount_minor == outcome.amount_minor
            )
        if len(meant) != 1:
            self._discrepancy(
                SEVERAL_PAYOUTS, outcome, None,
                "the reference belongs to several payouts, and the amount does not tell which",
            )  # fmt: skip
            return
        item = self.items[meant[0]]
        self.named.add(item.payout_id)
        if self._is_consistent(outcome, item):
            self._decide(outcome, item)

    def _is_consistent(self, outcome: Outcome, item: ItemState) -> bool:
        """Currency and amount are those that were exported; everything else is for people."""
        if outcome.currency_code not in (None, item.currency_code):
            kind = WRONG_CURRENCY
            detail = f"is in {outcome.currency_code}, the payout in {item.currency_code}"
        elif outcome.amount_minor not in (None, item.amount_minor):
            kind = AMOUNT_DIFFERS
            detail = (
                f"{outcome.outcome} with {outcome.amount_minor} minor units, exported were "
                f"{item.amount_minor}"
            )
        elif (
            outcome.amount_minor is None
            and outcome.outcome == SETTLED
            and self.situation.file_format != PAIN002
        ):
            kind, detail = AMOUNT_MISSING, "the bank booked it without naming its amount"
        else:
            return True
        self._discrepancy(kind, outcome, item, detail)
        return False

    def _decide(self, outcome: Outcome, item: ItemState) -> None:
        """The last tests, for one payout whose amount is certain."""
        only = self.situation.only_batch
        if only not in (None, item.batch_id):
            self._discrepancy(OTHER_BATCH, outcome, item, f"belongs to batch {item.batch_id}")
            return
        if outcome.outcome == SETTLED and self.situation.file_format in _STATEMENTS:
            if item.payout_id in self.debited_here:
                self._discrepancy(
                    BOOKED_TWICE, outcome, item, "the bank booked its debit twice in one file"
                )
                return
            self.debited_here.add(item.payout_id)
        verdict = judge(item, outcome.outcome, outcome.value_date, outcome.reason_code)
        if verdict == KNOWN:
            self.plan.known += 1
        elif verdict != APPLIES:
            self._discrepancy(
                CONTRADICTS,
                outcome,
                item,
                f"says {outcome.outcome}, but the payout is {item.state}",
            )
        elif self._is_possible_day(outcome, item):
            planned = PlannedOutcome(item, outcome)
            self.plan.applied.append(planned)
            self.items[item.payout_id] = after(item, _row(planned))

    def _is_possible_day(self, outcome: Outcome, item: ItemState) -> bool:
        first = self.situation.cutoff_dates[item.batch_id]
        last = self.situation.last_days[item.batch_id] + timedelta(days=_LATEST_DAYS)
        if outcome.value_date is None or first <= outcome.value_date <= last:
            return True
        self._discrepancy(
            VALUE_DATE, outcome, item,
            f"has the value date {outcome.value_date}, which is not between {first} and {last}",
        )  # fmt: skip
        return False

    def _add_total(self, outcome: Outcome, meant: tuple[str, ...]) -> None:
        """One line for all payouts of a file: rejected ones are not part of what was booked."""
        items = [self.items[payout_id] for payout_id in meant]
        if self.situation.file_format == PAIN002:
            items = [item for item in items if item.payout_id not in self.named]
        else:
            items = [item for item in items if item.state not in (FAILED, ABORTED)]
            if not self._is_whole_total(outcome, items, meant):
                return
        for item in items:
            self._decide(outcome, item)

    def _is_whole_total(
        self, outcome: Outcome, items: list[ItemState], meant: tuple[str, ...]
    ) -> bool:
        expected = sum(item.amount_minor for item in items)
        batch_ids = sorted({self.items[payout_id].batch_id for payout_id in meant})
        whole = sum(self.items[payout_id].amount_minor for payout_id in meant)
        currencies = {self.items[payout_id].currency_code for payout_id in meant}
        if outcome.amount_minor == expected and currencies == {outcome.currency_code}:
            return True
        rejected = len(meant) - len(items)
        because = (
            f"; the bank also booked {rejected} that it had rejected"
            if rejected and outcome.amount_minor == whole
            else ""
        )
        self.plan.discrepancies.append(
            Discrepancy(
                TOTAL_DIFFERS, outcome.line, None, batch_ids[0],
                f"the bank booked {outcome.amount_minor} minor units {outcome.currency_code} at "
                f"once, {len(items)} payouts are {expected}{because}",
            )
        )  # fmt: skip
        return False

    def _discrepancy(
        self, kind: str, outcome: Outcome, item: ItemState | None, detail: str
    ) -> None:
        self.plan.discrepancies.append(
            Discrepancy(
                kind,
                outcome.line,
                item.payout_id if item else None,
                item.batch_id if item else None,
                detail,
            )
        )


def _row(planned: PlannedOutcome) -> dict[str, object]:
    outcome = planned.outcome
    return {
        "outcome": outcome.outcome,
        "value_date": outcome.value_date.isoformat() if outcome.value_date else None,
        "reason_code": outcome.reason_code,
        "reference": outcome.reference,
        "return_entry_id": None,
        "seq": planned.item.seq,
    }
