"""What follows from a file: which outcomes apply, which are known, which contradict what is known.

What belongs here: the decision, as pure functions over states. What does not: reading files and
recording (``applying``). Decision 0051.

A line that is not certain changes nothing and becomes a discrepancy for people; the other lines of
the file count. An amount that differs is never applied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from payouts.outcomes import (
    ABORTED,
    APPLIES,
    FAILED,
    KNOWN,
    RETURNED,
    SETTLED,
    TERMINAL_STATES,
    ItemState,
    after,
    judge,
)
from payouts.settlement.outcome import Outcome, minor_units, payout_hex
from payouts.settlement.reading import CAMT053, CAMT054, NACHA, PAIN002, PAYPAL, STATUS_CSV
from payouts.settlement.references import References

UNKNOWN_PAYOUT, SEVERAL_PAYOUTS, OTHER_BATCH = "unknown_payout", "several_payouts", "other_batch"
AMOUNT_DIFFERS, AMOUNT_MISSING = "amount_differs", "amount_missing"
WRONG_CURRENCY, TOTAL_DIFFERS = "wrong_currency", "total_differs"
CONTRADICTS, BOOKED_TWICE, VALUE_DATE = "contradicts", "booked_twice", "value_date"
NOT_CONFIRMED = "not_confirmed"
OTHER_ACCOUNT, OTHER_RAIL = "other_account", "other_rail"
# Formats that tell of one rail alone; a statement and a status CSV tell of any.
_RAIL_OF_FORMAT = {PAYPAL: "paypal", NACHA: "nacha", PAIN002: "sepa"}
# Files that list what moved on the account, so that two value dates are two movements.
STATEMENTS = (CAMT053, CAMT054)
# A value date outside of these is a typing error of somebody, not a date of this payment.
_LATEST_DAYS = 31
_SHOWN_CANDIDATES = 5


@dataclass(frozen=True)
class Discrepancy:
    """One line that was not applied, and why. Ids, amounts and dates only."""

    kind: str
    line: int
    payout_id: str | None
    batch_id: str | None
    detail: str
    outcome: str | None = None


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
    """What a file would change. known: lines that say what is recorded. unrelated: other lines.

    debits: payouts and value dates of debits on a statement that change nothing, and that no
    statement has shown before.
    """

    applied: list[PlannedOutcome] = field(default_factory=list)
    known: int = 0
    unrelated: int = 0
    discrepancies: list[Discrepancy] = field(default_factory=list)
    debits: list[tuple[str, date]] = field(default_factory=list)


@dataclass(frozen=True)
class Situation:
    """What is known when a file is read. cutoff_dates: of each batch, no payment is older.

    last_days: the later of the day of reading and the pay date, by batch. read_on: the local day of
    reading. debit_days: value dates on which statements debited a payout. confirmed: batches of
    which somebody else than the reader has recorded that the bank has the file. only_batch: lines
    of other batches are not applied. payer_last_four: of the account that each batch is paid from.
    rails: of each batch.
    """

    items: Mapping[str, ItemState]
    references: References
    cutoff_dates: Mapping[str, date]
    last_days: Mapping[str, date]
    file_format: str
    read_on: date
    debit_days: Mapping[str, frozenset[date]] = field(default_factory=dict)
    confirmed: frozenset[str] = frozenset()
    only_batch: str | None = None
    payer_last_four: Mapping[str, str] = field(default_factory=dict)
    rails: Mapping[str, str] = field(default_factory=dict)


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
        # Lines of a pain.002 about one payout that nobody can name: it is none of "all others".
        self.unplaced_line: int | None = None
        self.debited_here: set[str] = set()
        self.first_rows: dict[tuple[str, str], int] = {}
        self.debit_days = {key: set(days) for key, days in situation.debit_days.items()}

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
        if self.situation.file_format in STATEMENTS and not looks_ours:
            self.plan.unrelated += 1
            return
        self._note_unplaced(
            UNKNOWN_PAYOUT, outcome,
            f"the reference of this {outcome.outcome} payment belongs to no exported payout",
        )  # fmt: skip

    def _note_unplaced(self, kind: str, outcome: Outcome, detail: str) -> None:
        """A line of no certain payout; of the batch whose file it is about, where it says so."""
        batch_id = None
        if outcome.key_kind != "batch_total" and outcome.file_id:
            self.unplaced_line = self.unplaced_line or outcome.line
            of_file = self.situation.references.payouts_of_file(outcome.file_id)
            batch_id = min((self.items[each].batch_id for each in of_file), default=None)
        self.plan.discrepancies.append(
            Discrepancy(kind, outcome.line, None, batch_id, detail, outcome.outcome)
        )

    def _add_single(self, outcome: Outcome, meant: tuple[str, ...]) -> None:
        candidates = meant
        if len(meant) > 1 and outcome.amount_minor is not None:
            # A trace number comes again in later files; the amount tells them apart.
            meant = tuple(
                payout_id
                for payout_id in meant
                if self.items[payout_id].amount_minor == outcome.amount_minor
            )
        if len(meant) != 1:
            shown = ", ".join(candidates[:_SHOWN_CANDIDATES])
            more = len(candidates) - _SHOWN_CANDIDATES
            self._note_unplaced(
                SEVERAL_PAYOUTS, outcome,
                "the reference belongs to several payouts, and the amount does not tell which: "
                f"{shown}{f' and {more} more' if more > 0 else ''}",
            )  # fmt: skip
            return
        item = self.items[meant[0]]
        self.named.add(item.payout_id)
        if self._is_consistent(outcome, item):
            self._decide(outcome, item)

    def _is_consistent(self, outcome: Outcome, item: ItemState) -> bool:
        """Rail, account, currency and amount are those exported; all else is for people."""
        paid_from = self.situation.payer_last_four.get(item.batch_id)
        other_rail = self._other_rail(item.batch_id)
        if other_rail:
            kind, detail = OTHER_RAIL, other_rail
        elif paid_from and outcome.account_last_four not in (None, paid_from):
            kind = OTHER_ACCOUNT
            detail = (
                f"stands on the account ending in {outcome.account_last_four}, the batch is paid "
                f"from the one ending in {paid_from}"
            )
        elif outcome.currency_code not in (None, item.currency_code):
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

    def _other_rail(self, batch_id: str) -> str:
        """Why this file cannot be about that batch; empty when it can."""
        wanted = _RAIL_OF_FORMAT.get(self.situation.file_format)
        rail = self.situation.rails.get(batch_id)
        if wanted in (None, rail):
            return ""
        return (
            f"a {self.situation.file_format} file tells of payments by {wanted}, batch {batch_id} "
            f"goes out by {rail}"
        )

    def _decide(self, outcome: Outcome, item: ItemState) -> None:
        """The last tests, for one payout whose amount is certain."""
        only = self.situation.only_batch
        if only not in (None, item.batch_id):
            self._discrepancy(OTHER_BATCH, outcome, item, f"belongs to batch {item.batch_id}")
            return
        if self._is_booked_twice_here(outcome, item):
            self._discrepancy(
                BOOKED_TWICE, outcome, item, "the bank booked its debit twice in one file"
            )
            return
        first_row = self._first_row(outcome, item)
        if first_row != outcome.line:
            self._discrepancy(
                BOOKED_TWICE, outcome, item,
                f"the file says {outcome.outcome} of this payout in line {first_row} already",
            )  # fmt: skip
            return
        verdict = judge(item, outcome.outcome, outcome.value_date, outcome.reason_code)
        if verdict == KNOWN:
            self._decide_known(outcome, item)
        elif verdict != APPLIES:
            self._discrepancy(
                CONTRADICTS,
                outcome,
                item,
                f"says {outcome.outcome}, but the payout is {item.state}",
            )
        elif self._is_possible_day(outcome, item) and self._is_confirmed(outcome, item):
            if self._is_statement_debit(outcome) and outcome.value_date:
                self.debit_days.setdefault(item.payout_id, set()).add(outcome.value_date)
            planned = PlannedOutcome(item, self._dated(outcome, item))
            self.plan.applied.append(planned)
            self.items[item.payout_id] = after(item, _row(planned))

    def _first_row(self, outcome: Outcome, item: ItemState) -> int:
        """The line in which a status CSV says first how a payout ended: it ends but once in a file.

        A second row is a payment made twice, or one row copied in place of another.
        """
        if self.situation.file_format != STATUS_CSV or outcome.outcome not in TERMINAL_STATES:
            return outcome.line
        return self.first_rows.setdefault((item.payout_id, outcome.outcome), outcome.line)

    def _is_statement_debit(self, outcome: Outcome) -> bool:
        return outcome.outcome == SETTLED and self.situation.file_format in STATEMENTS

    def _is_booked_twice_here(self, outcome: Outcome, item: ItemState) -> bool:
        if not self._is_statement_debit(outcome):
            return False
        if item.payout_id not in self.debited_here:
            self.debited_here.add(item.payout_id)
            return False
        self._note_debit(outcome, item)
        return True

    def _decide_known(self, outcome: Outcome, item: ItemState) -> None:
        """Nothing new, unless a statement debits on another day than statements did before."""
        if not self._is_statement_debit(outcome):
            self.plan.known += 1
            return
        earlier = sorted(self.debit_days.get(item.payout_id, ()))
        if earlier and outcome.value_date is not None and outcome.value_date not in earlier:
            self._discrepancy(
                BOOKED_TWICE, outcome, item,
                f"debited with the value date {outcome.value_date}, and before with {earlier[0]}",
            )  # fmt: skip
        else:
            self.plan.known += 1
        self._note_debit(outcome, item)

    def _note_debit(self, outcome: Outcome, item: ItemState) -> None:
        days = self.debit_days.setdefault(item.payout_id, set())
        if outcome.value_date is not None and outcome.value_date not in days:
            days.add(outcome.value_date)
            self.plan.debits.append((item.payout_id, outcome.value_date))

    def _dated(self, outcome: Outcome, item: ItemState) -> Outcome:
        """A debit without a value date counts on the day it was read, and not after its return."""
        if outcome.outcome != SETTLED or outcome.value_date is not None:
            return outcome
        day = self.situation.read_on
        if item.state == RETURNED and item.changed_date:
            day = min(day, item.changed_date)
        return replace(outcome, value_date=day)

    def _is_confirmed(self, outcome: Outcome, item: ItemState) -> bool:
        """A status CSV is written by hand: alone, nobody gives money back whose file is out."""
        if self.situation.file_format != STATUS_CSV or outcome.outcome not in (FAILED, RETURNED):
            return True
        if item.batch_id in self.situation.confirmed:
            return True
        self._discrepancy(
            NOT_CONFIRMED, outcome, item,
            f"a status CSV says {outcome.outcome}, and nobody else has recorded that the bank has "
            f"batch {item.batch_id}",
        )  # fmt: skip
        return False

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
            if not self._is_whole_file(outcome, items):
                return
            items = [item for item in items if item.payout_id not in self.named]
        else:
            items = [item for item in items if item.state not in (FAILED, ABORTED)]
            if not self._is_whole_total(outcome, items, meant):
                return
        for item in items:
            self._decide(outcome, item)

    def _is_whole_file(self, outcome: Outcome, items: list[ItemState]) -> bool:
        """Whether a status of a whole file may be taken for each payout that it does not name."""
        batch_id = min(item.batch_id for item in items)
        kind, detail = OTHER_RAIL, self._other_rail(batch_id)
        if not detail:
            kind, detail = TOTAL_DIFFERS, self._differing_total(outcome, items)
        if not detail:
            return True
        self.plan.discrepancies.append(
            Discrepancy(kind, outcome.line, None, batch_id, detail, outcome.outcome)
        )
        return False

    def _differing_total(self, outcome: Outcome, items: list[ItemState]) -> str:
        """What the report says otherwise of its file than what was exported; empty if nothing."""
        if self.unplaced_line is not None:
            return (
                f"line {self.unplaced_line} says of a payment that is not recognised how it ended; "
                "what the report says of all the others cannot be told from it"
            )
        if outcome.payments not in (None, len(items)):
            return f"is about {outcome.payments} payments, the exported file has {len(items)}"
        expected = sum(item.amount_minor for item in items)
        if outcome.control_sum and not _is_sum(outcome.control_sum, expected, items):
            return (
                f"is about a sum of {outcome.control_sum}, the exported file has {expected} minor "
                "units"
            )
        return ""

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
                outcome.outcome,
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
                outcome.outcome,
            )
        )


def _is_sum(control_sum: str, expected_minor: int, items: list[ItemState]) -> bool:
    """Whether a sum in major units, which names no currency, is that of these payouts."""
    try:
        return {minor_units(control_sum, each.currency_code) for each in items} == {expected_minor}
    except ValueError:
        return False


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
