"""What the payouts room should come to, written naively: dictionaries, loops, no database (T4).

What belongs here: what is claimed, who is owed what, which decision is allowed. What does not:
doing any of it (``payout_story``). It shares no code with the rooms.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction

LIVE = ("proposed", "partnerships_approved", "finance_approved")
OUT = ("exported", "sent", "closed", "aborted")
ENDED = ("settled", "failed", "returned", "aborted")
GIVEN_BACK = ("failed", "returned", "aborted")
MINIMUM_MINOR = {"USD": 5000}
EXPIRE_DAYS = 7
# Above this total two of finance are needed.
FIRST_TIER_MINOR = 2_500_000
# What may become of a payout; everything else that a bank says of it changes nothing.
NEXT = {
    "exported": {"sent", "unclaimed", "settled", "failed", "returned"},
    "sent": {"unclaimed", "settled", "failed", "returned"},
    "unclaimed": {"settled", "returned"},
    "settled": {"returned"},
}


@dataclass
class Entry:
    """One journal entry that may be paid. ``line``: what it earns, or is taken back from;
    ``is_return``: a payout that came back."""

    entry_id: str
    commission_id: str
    line: str
    lead_id: str | None
    partner_id: str
    currency: str
    amount: int
    available: date
    is_return: bool = False


@dataclass
class Payout:
    """One partner's payout; ``account`` is the version of its details at the proposal."""

    partner_id: str
    amount: int
    account: int
    payout_id: str = ""
    state: str = "exported"


@dataclass
class Batch:
    """One batch. ``claims``: entry id → the part that it pays. ``is_confirmed``: somebody else than
    who reads the bank's files has recorded that the bank has this one. ``share``: that of the terms
    of its proposal."""

    currency: str
    cutoff: date
    pay_date: date
    payouts: dict[str, Payout]
    claims: dict[str, int]
    batch_id: str = ""
    maker: str = ""
    state: str = "proposed"
    approvals: list[tuple[str, str]] = field(default_factory=list)
    approved_at: datetime | None = None
    abort_asked_by: str | None = None
    is_confirmed: bool = False
    share: Fraction = Fraction(1)

    @property
    def total(self) -> int:
        return sum(payout.amount for payout in self.payouts.values())


@dataclass
class Partner:
    """What decides whether a partner is paid. ``account``: version of its details, 0 is none."""

    is_verified: bool = True
    account: int = 0
    cools_until: date = date.min


class Model:
    """Everything that is known."""

    def __init__(self) -> None:
        self.partners: dict[str, Partner] = defaultdict(Partner)
        self.entries: dict[str, Entry] = {}
        self.visible: set[str] = set()
        self.batches: dict[str, Batch] = {}
        self.holds: dict[str, tuple[str, str]] = {}
        self.balances: dict[tuple[str, str], int] = defaultdict(int)
        self.last_cutoff: date | None = None
        self.share = Fraction(1)
        self.paused_by: str | None = None

    def add(self, entries: Iterable[Entry]) -> None:
        """Posted entries: earned, taken back, or given back by a bank."""
        for entry in entries:
            self.entries[entry.entry_id] = entry
            self.balances[entry.partner_id, entry.currency] += entry.amount

    def in_state(self, *states: str) -> list[Batch]:
        return [batch for batch in self.batches.values() if batch.state in states]

    def claimed(self, entry_id: str, *states: str) -> int:
        return sum(batch.claims.get(entry_id, 0) for batch in self.in_state(*states))

    def is_held(self, entry: Entry) -> bool:
        # A payout that came back holds its partner until somebody has checked the details.
        if not self.partners[entry.partner_id].is_verified:
            return True
        own = {("line", entry.commission_id), ("line", entry.line), ("lead", entry.lead_id),
               ("partner", entry.partner_id)}  # fmt: skip
        return not own.isdisjoint(self.holds.values())

    def hold(self, hold_id: str, subject: tuple[str, str]) -> None:
        """A hold opens; live batches that would pay what it covers are stale at once."""
        self.holds[hold_id] = subject
        self._make_held_stale()

    def _make_held_stale(self) -> None:
        for batch in self.in_state(*LIVE):
            if any(self.is_held(self.entries[entry_id]) for entry_id in batch.claims):
                batch.state = "stale"

    def proposal(self, cutoff: date, pay_date: date, as_of: date, share: Fraction) -> list[Batch]:
        """The batches of one pay date: per currency, who is paid what from which entries."""
        free: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
        waiting = set()
        for entry_id in self.visible:
            entry = self.entries[entry_id]
            left = entry.amount - self.claimed(entry_id, *OUT, *LIVE)
            if left and entry.available <= cutoff and not self.is_held(entry):
                free[entry.currency, entry.partner_id][entry_id] = left
                # What a live batch leaves of it is not known before that batch is decided.
                if self.claimed(entry_id, *LIVE):
                    waiting.add((entry.currency, entry.partner_id))
        batches = {}
        for (currency, partner_id), left in sorted(free.items()):
            if (currency, partner_id) in waiting:
                continue
            claims = self._within_share(left, share)
            amount = sum(claims.values())
            if amount <= 0 or amount < MINIMUM_MINOR.get(currency, 0):
                continue
            if not self.is_payable(partner_id, currency, as_of):
                continue
            batch = batches.setdefault(
                currency, Batch(currency, cutoff, pay_date, {}, {}, share=share)
            )
            account = self.partners[partner_id].account
            batch.payouts[partner_id] = Payout(partner_id, amount, account)
            batch.claims |= claims
        return list(batches.values())

    def _within_share(self, left: dict[str, int], share: Fraction) -> dict[str, int]:
        """P3: lines that owe are netted, oldest first, up to a share of those that earn."""
        if share == 1:
            return left
        lines: dict[str, dict[str, int]] = defaultdict(dict)
        for entry_id, amount in left.items():
            lines[self.entries[entry_id].line][entry_id] = amount
        totals = {line: sum(parts.values()) for line, parts in lines.items()}
        # What came back was netted before it was paid.
        earned = sum(
            total for line, total in totals.items()
            if total > 0 and not any(self.entries[each].is_return for each in lines[line])
        )  # fmt: skip
        budget = int(earned * share + Fraction(1, 2))
        claims = {}
        for line in sorted(lines, key=lambda line: (self._since(lines[line]), line)):
            parts, total = lines[line], totals[line]
            if total >= 0:
                claims |= parts
                continue
            netted = min(-total, budget)
            budget -= netted
            if netted:
                claims |= self._netted_part(parts, netted)
        return claims

    def _netted_part(self, parts: dict[str, int], netted: int) -> dict[str, int]:
        claims = {entry_id: amount for entry_id, amount in parts.items() if amount > 0}
        takable = netted + sum(claims.values())
        owing = [entry_id for entry_id, amount in parts.items() if amount < 0]
        for entry_id in sorted(owing, key=lambda each: (self.entries[each].available, each)):
            part = min(-parts[entry_id], takable)
            takable -= part
            if part:
                claims[entry_id] = -part
        return claims

    def _since(self, parts: dict[str, int]) -> date:
        return min(self.entries[entry_id].available for entry_id in parts)

    def is_payable(self, partner_id: str, currency: str, as_of: date) -> bool:
        partner = self.partners[partner_id]
        has_account = currency != "EUR" or partner.account > 0
        return partner.is_verified and partner.cools_until <= as_of and has_account

    def due(self, calendar: dict[date, date], as_of: date) -> list[date]:
        """Cut-offs that a night proposes: all new ones; of a fresh home the latest alone."""
        over = sorted(cutoff for cutoff in calendar if cutoff <= as_of)
        if self.last_cutoff is None:
            return over[-1:]
        return [cutoff for cutoff in over if cutoff > self.last_cutoff]

    def may_approve(self, batch: Batch, actor: str, role: str, roles: dict) -> bool:
        waiting = {"proposed": "partnerships", "partnerships_approved": "finance"}.get(batch.state)
        acted = {batch.maker, *(name for name, _ in batch.approvals)}
        return role == waiting and actor in roles[role] and actor not in acted

    def approve(self, batch: Batch, actor: str, role: str, now: datetime) -> None:
        batch.approvals.append((actor, role))
        given = [name for name, of_role in batch.approvals if of_role == role]
        if role == "partnerships":
            batch.state = "partnerships_approved"
        elif len(given) == (1 if batch.total <= FIRST_TIER_MINOR else 2):
            batch.state, batch.approved_at = "finance_approved", now

    def is_stale(self, batch: Batch, as_of: date, now: datetime) -> bool:
        """Whether an export or a night finds that a live batch may not be paid any more."""
        if batch.state == "finance_approved" and now >= batch.approved_at + timedelta(EXPIRE_DAYS):
            return True
        return batch.share != self.share or any(
            not self.is_payable(payout.partner_id, batch.currency, as_of)
            or payout.account != self.partners[payout.partner_id].account
            for payout in batch.payouts.values()
        )

    def export(self, batch: Batch) -> None:
        batch.state = "exported"
        for payout in batch.payouts.values():
            self.balances[payout.partner_id, batch.currency] -= payout.amount

    def bank_says(self, batch: Batch, payout: Payout, outcome: str) -> bool:
        """One line of a file by hand; True when the amount goes back to the balance now."""
        if batch.state == "sent" and payout.state == "exported":
            payout.state = "sent"
        if outcome not in NEXT.get(payout.state, ()):
            return False
        if outcome in GIVEN_BACK and not batch.is_confirmed:
            return False
        payout.state = outcome
        if outcome in GIVEN_BACK:
            self.partners[payout.partner_id].is_verified = False
            self._make_held_stale()
        return outcome in GIVEN_BACK

    def after_file(self, batch: Batch) -> None:
        """The state of a batch of which a file applied something."""
        ended = all(payout.state in ENDED for payout in batch.payouts.values())
        batch.state = "closed" if ended else "sent"
        for payout in batch.payouts.values():
            if payout.state == "exported":
                payout.state = "sent"
