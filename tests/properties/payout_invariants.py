"""What holds after every step of a story, by the numbers of the payouts reference (4.3)."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter, defaultdict
from decimal import Decimal

from hypothesis.stateful import RuleBasedStateMachine, invariant
from sqlalchemy import select

from payouts import events, segments
from payouts.outcomes import all_item_states
from payouts.records import content_hash, list_batches, load_state
from payouts.schema import export_files, exports
from payouts.verify import verify
from tests.properties.payout_model import GIVEN_BACK, LIVE, OUT

# It reads everything, which is dear; each story ends with it too.
VERIFY_EVERY = 10


class Invariants(RuleBasedStateMachine):
    """Files, journal and control database against the model. ``files``: bytes by batch and name."""

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
