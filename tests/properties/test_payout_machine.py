"""T1, T4: any order of nights, decisions, exports, crashes, bank files and disputes keeps the
invariants of the payouts reference (4.3), and comes to what the naive model says.

Checked after every step: I3–I8, I13, I16–I19; everything that ``verify`` proves every few steps and
at the end.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter, defaultdict
from copy import deepcopy
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from payouts import events, segments
from payouts.approvals import reject, revoke
from payouts.dispute_owners import Governing
from payouts.disputes import decide_dispute, open_dispute
from payouts.errors import BatchStaleError, DecisionRefusedError, ExportRefusedError
from payouts.holds import open_hold, release_hold
from payouts.outcomes import all_item_states
from payouts.pausing import pause, resume
from payouts.records import content_hash, list_batches, load_state
from payouts.schema import export_files, exports
from payouts.verify import verify
from tests.properties.payout_model import GIVEN_BACK, LIVE, OUT, Batch, Entry, Model
from tests.properties.payout_story import ACCOUNTS, CALENDAR, KEY, PARTNERS, STORY_RULES, Room
from tests.unit.payouts.payout_world import ANA, APPROVALS, BEN, CAT, DAN, entry

# One run per change, the same each time; to search further: `derandomize=False`, more examples.
settings.register_profile(
    "payout_machine",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=20,
    stateful_step_count=30,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
VERIFY_EVERY = 10
PEOPLE = (ANA, BEN, CAT, DAN, "eve@acme.example")
# One partner is paid in both currencies, so that they must not be added up.
EARNERS = (("p_1", "EUR"), ("p_2", "EUR"), ("p_2", "USD"), ("p_3", "USD"))
AMOUNTS = (4_999, 5_000, 12_345, 333_333, 2_600_000)
REASON = "seen in the portal"
picks = st.integers(0, 30)
people = st.sampled_from(PEOPLE)
crashes = st.none() | st.integers(0, 16)
lines = st.lists(
    st.tuples(
        picks,
        st.sampled_from(["settled", "settled", "failed", "returned", "unclaimed", "sent"]),
        st.sampled_from([0, 0, 0, 0, 1]),
    ),
    min_size=1,
    max_size=4,
)


def _some(found, pick):
    return found[pick % len(found)]


class PayoutMachine(RuleBasedStateMachine):
    """People, nights and banks in any order; ``self.model`` says what must come of it."""

    def __init__(self, is_first=False):
        super().__init__()
        self.steps = 0
        self.bank_files: list[bytes] = []
        self.disputes: dict[str, tuple[str, str]] = {}
        if is_first:
            self.room, self.model = Room(), Model()
            for partner_id in ACCOUNTS:
                self.model.partners[partner_id].account = 1
            self.posted: list[dict] = []
            self.taken: Counter[str] = Counter()
            self.files: dict[str, dict[str, bytes]] = {}
            self._night(0, [(0, 2), (1, 3), (2, 2), (3, 3)], [])
        else:
            first = _after_a_month()
            self.room = Room(first.room, first.posted)
            self.model, self.posted, self.taken, self.files = deepcopy(
                (first.model, first.posted, first.taken, first.files)
            )

    def teardown(self):
        try:
            self._verified()
        finally:
            self.room.close()

    # Nights ---------------------------------------------------------------------------------

    @rule(
        days=st.integers(1, 4),
        sales=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), max_size=3),
        refunds=st.lists(st.tuples(picks, st.sampled_from([1, 2, 3])), max_size=2),
        is_looked_over=st.booleans(),
    )
    def night(self, days, sales, refunds, is_looked_over):
        """Sales and refunds, of paid and unpaid ones, are posted; batches may go stale."""
        self._night(days, sales, refunds)
        if is_looked_over:
            expected = {
                batch.batch_id
                for batch in self.model.in_state(*LIVE)
                if self.model.is_stale(batch, self.room.as_of, self.room.now)
            }
            assert self.room.stale() == expected
            for batch_id in expected:
                self.model.batches[batch_id].state = "stale"

    def _night(self, days, sales, refunds):
        rows = []
        for earner, amount in sales:
            partner_id, currency = EARNERS[earner]
            number = len(self.posted) + len(rows)
            rows.append(
                entry(
                    f"il_{number}", AMOUNTS[amount], partner_id=partner_id,
                    currency_code=currency, available_date=self.room.as_of,
                    lead_id=f"lead_{number % 5}",
                )
            )  # fmt: skip
        for pick, parts in refunds:
            rows += self._refund(pick, parts)
        self.posted += rows
        self.room.night(days, rows)
        self.model.add(_entry(row, self.sales) for row in rows)
        self.model.visible = set(self.model.entries)

    def _refund(self, pick, parts):
        """A refund of a third, two thirds or all of what is left of a sale (I9)."""
        if not self.sales:
            return []
        sold = _some(self.sales, pick)
        left = sold["amount_minor"] - self.taken[sold["source_id"]]
        amount = left * parts // 3
        if not amount:
            return []
        self.taken[sold["source_id"]] += amount
        return [
            entry(
                sold["source_id"], -amount, partner_id=sold["partner_id"], entry_kind="refund",
                currency_code=sold["currency_code"], available_date=self.room.as_of,
                cause_id=f"re_{self.taken[sold['source_id']]}", lead_id=sold["lead_id"],
                reverses_entry_id=sold["entry_id"],
            )
        ]  # fmt: skip

    @property
    def sales(self):
        """What was earned, oldest first."""
        return [row for row in self.posted if row["entry_kind"] == "earning"]

    @rule(sales=st.lists(st.tuples(st.integers(0, 3), st.integers(2, 4)), min_size=1, max_size=3))
    def month(self, sales):
        """Sold, proposed, approved and exported, as far as nothing stands against it."""
        self._night(10, sales, [])
        self._propose(None, Fraction(1), "system:night", None)
        while self.model.in_state("proposed", "partnerships_approved"):
            self._approve_fully(0)
        while self.model.in_state("finance_approved") and not self.model.paused_by:
            self._export(0, None)

    # Batches --------------------------------------------------------------------------------

    @rule(
        named=st.none() | picks,
        share=st.sampled_from([Fraction(1), Fraction(1), Fraction(1, 2)]),
        maker=st.sampled_from(["system:night", "system:night", BEN]),
        crash=crashes,
    )
    def propose(self, named, share, maker, crash):
        """The due batches, or those of a named pay date that is over."""
        self._propose(named, share, maker, crash)

    def _propose(self, named, share, maker, crash):
        over = [cutoff for cutoff in CALENDAR if cutoff <= self.room.as_of]
        cutoffs = self.model.due(CALENDAR, self.room.as_of)
        if named is not None:
            cutoffs = [_some(over[-3:], named)]
        pay_date = None if named is None else CALENDAR[cutoffs[0]]
        before = set(self.model.batches)
        with self.room.crashing(crash):
            self.room.propose(pay_date, Decimal(str(float(share))), maker)
        # Each pay date is a transaction of its own; a crash leaves those before it.
        done = cutoffs[: self.room.points.count("proposal_after_commit")]
        with self.room.store.read() as connection:
            found = {
                (row.cutoff_date, row.currency_code): row
                for row in list_batches(connection)
                if row.batch_id not in before
            }
        expected = []
        for cutoff in done:
            batches = self.model.proposal(cutoff, CALENDAR[cutoff], self.room.as_of, share)
            self.model.last_cutoff = max(cutoff, self.model.last_cutoff or cutoff)
            for batch in batches:
                row = found[cutoff, batch.currency]
                batch.batch_id, batch.maker = row.batch_id, maker
                self.model.batches[row.batch_id] = batch
            expected += batches
        assert {batch.batch_id for batch in expected} == {row.batch_id for row in found.values()}
        for batch in expected:
            self._as_expected(batch)
        self.model.visible = self._visible()

    def _as_expected(self, batch: Batch):
        content = self.room.content(batch.batch_id)
        assert self.room.claims(batch.batch_id) == batch.claims
        assert {item.partner_id: item.amount_minor for item in content.items} == {
            partner_id: payout.amount for partner_id, payout in batch.payouts.items()
        }
        for item in content.items:
            batch.payouts[item.partner_id].payout_id = item.payout_id

    @precondition(lambda self: self.model.in_state(*LIVE))
    @rule(pick=picks, actor=people, role=st.sampled_from(["partnerships", "finance"]))
    def approve(self, pick, actor, role):
        """Anybody tries; only the right person at the right time may (I8)."""
        batch = _some(self.model.in_state(*LIVE), pick)
        if self.model.may_approve(batch, actor, role, APPROVALS.roles):
            self.room.approve(batch.batch_id, actor, role)
            self.model.approve(batch, actor, role, self.room.now)
        else:
            with pytest.raises(DecisionRefusedError):
                self.room.approve(batch.batch_id, actor, role)

    @precondition(lambda self: self.model.in_state("proposed", "partnerships_approved"))
    @rule(pick=picks)
    def approve_fully(self, pick):
        """Whoever may approves, until the batch may be exported."""
        self._approve_fully(pick)

    def _approve_fully(self, pick):
        batch = _some(self.model.in_state("proposed", "partnerships_approved"), pick)
        for role, actor in (("partnerships", ANA), ("finance", BEN), ("finance", CAT),
                            ("finance", DAN)):  # fmt: skip
            if self.model.may_approve(batch, actor, role, APPROVALS.roles):
                self.room.approve(batch.batch_id, actor, role)
                self.model.approve(batch, actor, role, self.room.now)
        assert batch.state == "finance_approved"

    @precondition(lambda self: self.model.in_state(*LIVE))
    @rule(pick=picks, actor=people)
    def revoke(self, pick, actor):
        """One takes back an own approval, and the others' are void."""
        batch = _some(self.model.in_state(*LIVE), pick)
        said = {"actor": actor, "recorded_at": self.room.now}
        if actor in {name for name, _ in batch.approvals}:
            revoke(self.room.store, batch.batch_id, **said)
            batch.state, batch.approvals = "proposed", []
        else:
            with pytest.raises(DecisionRefusedError):
                revoke(self.room.store, batch.batch_id, **said)

    @precondition(lambda self: len(self.model.in_state(*LIVE)) > 1)
    @rule(pick=picks, actor=st.sampled_from([ANA, BEN, CAT]))
    def reject(self, pick, actor):
        """Its entries are free for the next proposal."""
        batch = _some(self.model.in_state(*LIVE), pick)
        reject(
            self.room.store, self.room.home, batch.batch_id, reason=REASON, actor=actor,
            rules=APPROVALS, recorded_at=self.room.now,
        )  # fmt: skip
        batch.state = "rejected"

    @precondition(lambda self: self.model.in_state("finance_approved"))
    @rule(pick=picks, crash=crashes)
    def export(self, pick, crash):
        """An approved batch leaves once, unless payouts are paused or something has changed."""
        self._export(pick, crash)

    def _export(self, pick, crash):
        batch = _some(self.model.in_state("finance_approved"), pick)
        if self.model.paused_by:
            with pytest.raises(ExportRefusedError, match="paused"):
                self.room.export(batch.batch_id)
        elif self.model.is_stale(batch, self.room.as_of, self.room.now):
            with pytest.raises(BatchStaleError):
                self.room.export(batch.batch_id)
            batch.state = "stale"
        else:
            with self.room.crashing(crash):
                assert self.room.export(batch.batch_id).is_new
            if "export_after_commit" in self.room.points:
                self.model.export(batch)
        self.model.visible = self._visible()

    @precondition(lambda self: self.model.batches)
    @rule(pick=picks, is_lost=st.booleans())
    def export_again(self, pick, is_lost):
        """I18: the same bytes, also when the file was lost; nothing else is exported by it."""
        batch = _some(list(self.model.batches.values()), pick)
        if batch.state == "finance_approved":
            return
        if batch.state not in OUT or batch.state == "aborted":
            with pytest.raises(DecisionRefusedError):
                self.room.export(batch.batch_id)
            return
        written = self.files[batch.batch_id]
        if is_lost:
            for name in written:
                (self.room.home / name).unlink()
        again = self.room.export(batch.batch_id)
        assert not again.is_new
        assert {name: (self.room.home / name).read_bytes() for name in written} == written

    # Brakes ---------------------------------------------------------------------------------

    @precondition(lambda self: not self.model.holds)
    @rule(pick=picks, kind=st.sampled_from(["line", "lead", "partner"]))
    def hold(self, pick, kind):
        """A hold on a sale, its lead or its partner; batches that would pay it go stale."""
        sold = _some(self.sales, pick)
        subject = kind, sold[{"line": "commission_id"}.get(kind, f"{kind}_id")]
        if subject in self.model.holds.values():
            return
        opened, _ = open_hold(
            self.room.store, self.room.home, subject_type=subject[0], subject_id=subject[1],
            reason=REASON, actor=ANA, rules=APPROVALS, recorded_at=self.room.now,
        )  # fmt: skip
        self.model.hold(opened.hold_id, subject)

    @precondition(lambda self: self.model.holds.keys() - self._disputed())
    @rule(pick=picks)
    def release(self, pick):
        """What was held is payable again."""
        hold_id = _some(sorted(self.model.holds.keys() - self._disputed()), pick)
        release_hold(
            self.room.store, hold_id, reason=REASON, actor=CAT, rules=APPROVALS,
            recorded_at=self.room.now,
        )  # fmt: skip
        del self.model.holds[hold_id]

    @precondition(lambda self: not self.disputes)
    @rule(pick=picks)
    def dispute(self, pick):
        """A partner disputes a line: it is held as long."""
        sold = _some(self.sales, pick)
        subject = "line", sold["commission_id"]
        if subject in [disputed for disputed, _ in self.disputes.values()]:
            return
        opened, _ = open_dispute(
            self.room.store, self.room.home, subject_type="line", subject_id=subject[1],
            partner_id=sold["partner_id"], happened_on=None, text="it was more", evidence='{"line": "seen"}',
            opened_by_role="partner", actor=ANA, rules=APPROVALS, payout_rules=STORY_RULES,
            timezone="UTC", recorded_at=self.room.now,
        )  # fmt: skip
        self.disputes[opened.dispute_id] = subject, opened.hold_id
        self.model.hold(opened.hold_id, subject)

    @precondition(lambda self: self.disputes)
    @rule(pick=picks, actor=people)
    def decide(self, pick, actor):
        """Somebody else with a role rejects it, and its hold ends."""
        dispute_id = _some(sorted(self.disputes), pick)
        arguments = {
            "dispute_id": dispute_id, "outcome": "rejected", "governing": Governing(),
            "reason": REASON, "actor": actor, "rules": APPROVALS, "recorded_at": self.room.now,
        }  # fmt: skip
        if actor in (BEN, CAT, DAN):
            decide_dispute(self.room.store, self.room.home, **arguments)
            _, hold_id = self.disputes.pop(dispute_id)
            del self.model.holds[hold_id]
        else:
            with pytest.raises(DecisionRefusedError):
                decide_dispute(self.room.store, self.room.home, **arguments)

    def _disputed(self):
        return {hold_id for _, hold_id in self.disputes.values()}

    @rule(actor=st.sampled_from([BEN, CAT, DAN]))
    def pause_or_resume(self, actor):
        """One person stops everything, another lets it go on."""
        said = {"reason": REASON, "actor": actor, "rules": APPROVALS, "recorded_at": self.room.now}
        if self.model.paused_by is None:
            pause(self.room.store, **said)
            self.model.paused_by = actor
        elif actor == self.model.paused_by:
            with pytest.raises(DecisionRefusedError):
                resume(self.room.store, **said)
        else:
            resume(self.room.store, **said)
            self.model.paused_by = None

    @rule(partner_id=st.sampled_from(PARTNERS))
    def correct_details(self, partner_id):
        """A new account cools off; where none is kept, somebody has checked."""
        partner = self.model.partners[partner_id]
        if partner_id not in ACCOUNTS:
            self.room.check_payee(partner_id)
        else:
            partner.account = partner.account % 3 + 1
            self.room.change_account(partner_id, partner.account)
            cooled = date.fromordinal(
                self.room.now.date().toordinal() + STORY_RULES.cooling_off_days
            )
            partner.cools_until = max(partner.cools_until, cooled)
        partner.is_verified = True

    # Banks ----------------------------------------------------------------------------------

    @precondition(lambda self: self.model.in_state("exported"))
    @rule(pick=picks)
    def confirm(self, pick):
        """The bank has the file."""
        batch = _some(self.model.in_state("exported"), pick)
        self.room.sent(batch.batch_id)
        batch.state = "sent"
        for payout in batch.payouts.values():
            payout.state = "sent"

    @precondition(lambda self: self.model.in_state(*OUT))
    @rule(said=lines, crash=crashes)
    def settle(self, said, crash):
        """A bank's file: in part, twice, late, or with another amount, which changes nothing."""
        known = [
            (batch, payout)
            for batch in self.model.in_state(*OUT)
            for payout in batch.payouts.values()
        ]
        rows = [(*_some(known, pick), outcome, wrong) for pick, outcome, wrong in said]
        content = _bank_file(rows, self.room.now.date(), len(self.bank_files))
        with self.room.crashing(crash):
            self.room.settle(content)
        if "settlement_after_commit" in self.room.points:
            self.bank_files.append(content)
            self._bank_said(rows)
        self.model.visible = self._visible()

    def _bank_said(self, rows):
        back: Counter[str] = Counter()
        for batch, payout, outcome, wrong in rows:
            if wrong:
                continue
            before = payout.state
            if self.model.bank_says(batch, payout, outcome):
                back[payout.payout_id] += payout.amount
            if payout.state != before:
                self.model.after_file(batch)
        self._given_back(back)

    @precondition(lambda self: self.bank_files)
    @rule(pick=picks)
    def settle_same_file(self, pick):
        """The same bytes may only tell what could not be applied before."""
        result = self.room.settle(_some(self.bank_files, pick))
        assert not result.is_new
        assert result.outcomes == {} or set(result.outcomes) <= {"settled"}
        assert result.returned_amount_minor == {}

    @precondition(lambda self: self.model.in_state("exported"))
    @rule(pick=picks, actor=st.sampled_from([ANA, BEN, CAT]), crash=crashes)
    def abort(self, pick, actor, crash):
        """One asks, another agrees, and every payout goes back."""
        batch = _some(self.model.in_state("exported"), pick)
        if batch.abort_asked_by in (None, actor):
            if batch.abort_asked_by:
                with pytest.raises(DecisionRefusedError, match="four eyes"):
                    self.room.abort(batch.batch_id, actor)
            self.room.ask_abort(batch.batch_id, actor)
            batch.abort_asked_by = actor
            return
        with self.room.crashing(crash):
            self.room.abort(batch.batch_id, actor)
        if "abort_after_commit" not in self.room.points:
            return
        if any((self.room.home / name).exists() for name in self.files[batch.batch_id]):
            # It died between the decision and the removal, which abort again finishes.
            self.room.abort(batch.batch_id, actor)
        batch.state = "aborted"
        for payout in batch.payouts.values():
            payout.state = "aborted"
        self._given_back(
            Counter({payout.payout_id: payout.amount for payout in batch.payouts.values()})
        )

    def _given_back(self, amounts: Counter[str]):
        """I17: one entry per payout that came back now, of exactly what was exported."""
        posted = [
            row for row in self.room.journal()
            if row[2] == "payout_return" and row[0] not in self.model.entries
        ]  # fmt: skip
        assert sorted((row[7], row[5]) for row in posted) == sorted(amounts.items())
        self.model.add(
            Entry(row[0], row[1], row[1], None, row[3], row[4], row[5], row[6]) for row in posted
        )

    def _visible(self):
        """What the candidates of now list: what was posted when they were last loaded."""
        rows = self.room.world.warehouse.execute(
            "select entry_id from raw.journal__entries where entry_kind <> 'payout'"
        )
        return {row[0] for row in rows.fetchall()}

    # Invariants -----------------------------------------------------------------------------

    @invariant()
    def everything_holds(self):
        self.steps += 1
        with self.room.store.read() as connection:
            events.check_chain(connection)
            segments.check_chain(segments.records(connection))
            batches = {row.batch_id: row for row in list_batches(connection)}
            states = {batch_id: load_state(connection, batch_id) for batch_id in batches}
            items = all_item_states(connection)
            exported = {row.batch_id: row for row in connection.execute(select(exports))}
            files = defaultdict(list)
            for row in connection.execute(select(export_files)):
                files[row.batch_id].append(row.file_path)
        journal = self.room.journal()
        self._balances(journal)
        self._claims_and_states(batches, items)
        for batch_id, row in exported.items():
            self._approvals(states[batch_id])
            self._files(batch_id, row, files[batch_id])
        self._payouts_once(journal, items, files)
        self._no_payable_rest(batches)
        if self.steps % VERIFY_EVERY == 0:
            self._verified()

    def _balances(self, journal):
        """I3, against the model's balances (T4)."""
        balances = Counter()
        for row in journal:
            balances[row[3], row[4]] += row[5]
        wanted = {key: amount for key, amount in self.model.balances.items() if amount}
        assert {key: amount for key, amount in balances.items() if amount} == wanted

    def _claims_and_states(self, batches, items):
        """States as the model has them; I4 and I16 over the claims."""
        assert {batch_id: row.state for batch_id, row in batches.items()} == {
            batch_id: batch.state for batch_id, batch in self.model.batches.items()
        }
        assert {payout_id: item.state for payout_id, item in items.items()} == {
            payout.payout_id: payout.state
            for batch in self.model.in_state(*OUT)
            for payout in batch.payouts.values()
        }
        live = Counter()
        claimed = Counter()
        for batch in self.model.in_state(*LIVE, *OUT):
            claimed.update(batch.claims)
            assert all(payout.amount > 0 for payout in batch.payouts.values())
            if batch.state in LIVE:
                live.update(batch.claims.keys())
        assert all(count == 1 for count in live.values())
        for entry_id, amount in claimed.items():
            whole = self.model.entries[entry_id].amount
            assert amount * whole >= 0 and abs(amount) <= abs(whole)

    def _approvals(self, state):
        """I8: two people at least, none of them the maker, all for this hash."""
        names = [approval.actor for approval in state.approvals]
        assert len(set(names)) == len(names) >= 2 and state.maker not in names
        assert {approval.role for approval in state.approvals} == {"partnerships", "finance"}
        assert {approval.content_hash for approval in state.approvals} == {state.content_hash}

    def _files(self, batch_id, row, names):
        """I6, I7, I18: the files add up to the batch, have its hash, and never change."""
        content = self.room.content(batch_id)
        assert content_hash(content) == row.content_hash
        assert json.loads(row.manifest)["content_hash"] == row.content_hash
        if batch_id not in self.files:
            self.files[batch_id] = {
                name: (self.room.home / name).read_bytes() for name in sorted(names)
            }
        found = [each for file in self.files[batch_id].values() for each in _paid(file)]
        batch = self.model.batches[batch_id]
        assert sorted(found) == sorted(
            (payout.payout_id.replace("-", ""), payout.amount) for payout in batch.payouts.values()
        )
        assert sum(amount for _, amount in found) == content.total_amount_minor
        assert content.total_amount_minor == sum(batch.claims.values())
        for name, written in self.files[batch_id].items():
            if batch.state != "aborted":
                assert (self.room.home / name).read_bytes() == written

    def _payouts_once(self, journal, items, files):
        """I5, I6, I17, I19: each payout is in one file, paid once, and given back at most once."""
        assert files.keys() == self.files.keys()
        paid = Counter(key for each in self.files.values() for file in each.values()
                       for key, _ in _paid(file))  # fmt: skip
        assert all(count == 1 for count in paid.values())
        booked = sorted((row[7], -row[5]) for row in journal if row[2] == "payout")
        assert booked == sorted((item.payout_id, item.amount_minor) for item in items.values())
        back = sorted((row[7], row[5]) for row in journal if row[2] == "payout_return")
        assert back == sorted(
            (item.payout_id, item.amount_minor)
            for item in items.values()
            if item.state in GIVEN_BACK
        )

    def _no_payable_rest(self, batches):
        """A file that nobody may pay does not lie where payable files lie."""
        for path in (self.room.home / "exports").glob("*/*"):
            state = batches[path.parent.name].state
            assert state not in ("rejected", "stale"), path.name
            assert state != "aborted" or path.name == "manifest.json"

    def _verified(self):
        """I13 and all the rest: every check, the files rendered again, the journal as desired."""
        found = verify(self.room.home, store=self.room.store, warehouse=self.room.world.warehouse)
        assert [finding for finding in found if not finding.ok] == []


@cache
def _after_a_month() -> PayoutMachine:
    """A story that has begun: two exported batches. Each story goes on from a copy of it."""
    first = PayoutMachine(is_first=True)
    first._propose(None, Fraction(1), "system:night", None)
    for _ in range(2):
        first._approve_fully(0)
        first._export(0, None)
    first.everything_holds()
    first.room.leave()
    return first


def _entry(row: dict, sales: list[dict]) -> Entry:
    lines_of = {sold["entry_id"]: sold["commission_id"] for sold in sales}
    return Entry(
        row["entry_id"], row["commission_id"],
        lines_of.get(row["reverses_entry_id"], row["commission_id"]), row["lead_id"],
        row["partner_id"], row["payout_currency_code"], row["payout_amount_minor"],
        row["available_date"],
    )  # fmt: skip


def _bank_file(rows, day: date, number: int) -> bytes:
    """A status file; ``number`` makes each a file of its own."""
    header = "payout_id,status,amount_minor,currency_code,value_date,reason_code,reference"
    told = [
        f"{payout.payout_id},{outcome},{payout.amount + wrong},{batch.currency},{day},,F{number}"
        for batch, payout, outcome, wrong in rows
    ]
    return "\n".join([header, *told, ""]).encode()


def _paid(content: bytes) -> list[tuple[str, int]]:
    """(payout id without hyphens, minor units) of every payment in a file of csv or sepa."""
    text = content.decode()
    if text.startswith("<?xml"):
        found = re.findall(
            r"<EndToEndId>(\w+)</EndToEndId>.*?<InstdAmt Ccy=\"EUR\">([0-9.]+)<", text, re.DOTALL
        )
        control = {Decimal(total) for total in re.findall(r"<CtrlSum>([0-9.]+)<", text)}
        assert control == {sum(Decimal(amount) for _, amount in found)}
        return [(key, int(Decimal(amount) * 100)) for key, amount in found]
    return [
        (row["payout_id"].replace("-", ""), int(Decimal(row["amount"]) * 100))
        for row in csv.DictReader(io.StringIO(text))
    ]


def test_any_story_keeps_the_invariants_and_comes_to_what_the_model_says(monkeypatch):
    monkeypatch.setenv("PARTNERLEDGER_VAULT_KEY", KEY)
    run_state_machine_as_test(PayoutMachine, settings=settings.get_profile("payout_machine"))
