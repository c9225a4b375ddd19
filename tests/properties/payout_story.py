"""The real payouts room under a story: nights, people, banks, and crashes at a named point.

What belongs here: doing things to a home and reading it. What does not: what should come of them
(``payout_model``) and choosing them (``test_payout_machine``).

A crash copies the home as it is at that point and goes on with the copy, as after ``kill -9``:
nothing that Python would still clean up has happened in it.
"""

from __future__ import annotations

import atexit
import base64
import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from payouts import checkpoints
from payouts.aborting import abort, request_abort
from payouts.approvals import approve
from payouts.batches import propose
from payouts.control import load_control_tables
from payouts.details import SepaDetails, SepaPayer
from payouts.export import export_batch
from payouts.freshness import refresh_batches
from payouts.journal import post_differences
from payouts.parquet import parquet_scan
from payouts.payee_details import approve_details, confirm_details, partner_owner, payer_owner
from payouts.payee_details import propose_details as propose_record
from payouts.payees import record_payee
from payouts.records import BatchContent, load_content, load_state
from payouts.segments import records
from payouts.settlement.applying import confirm_sent, settle
from payouts.store import open_store
from payouts.vault import open_vault
from program.holidays import rail_holidays
from tests.unit.payouts.payout_world import (
    APPROVALS,
    BEN,
    DAN,
    RULES,
    PayDay,
    World,
    create_models,
    new_warehouse,
)

KEY = base64.b64encode(hashlib.sha256(b"the key of a story").digest()).decode()
PARTNERS = ("p_1", "p_2", "p_3")
# Published examples of the registry; three for each partner who is paid in EUR.
ACCOUNTS = {
    "p_1": ("DE89370400440532013000", "NL91ABNA0417164300", "FR1420041010050500013M02606"),
    "p_2": ("AT611904300234573201", "ES9121000418450200051332", "FI2112345600000785"),
}
PAYER = SepaPayer(name="Acme Inc", iban="BE68539007547034", country="BE", town="Brussels")
FIRST_NIGHT = date(2026, 2, 28)
# Cut-offs every ten days, paid five days later.
CALENDAR = {
    FIRST_NIGHT + timedelta(10 * number): FIRST_NIGHT + timedelta(10 * number + 5)
    for number in range(-2, 40)
}
STORY_RULES = replace(
    RULES, rails={"EUR": "sepa", "default": "csv"}, minimums_minor={"USD": 5000}
)  # fmt: skip
SATURDAY = 5
ENTRY_COLUMNS = (
    "entry_id", "commission_id", "entry_kind", "partner_id", "payout_currency_code",
    "payout_amount_minor", "available_date", "source_id",
)  # fmt: skip


class Crash(BaseException):
    """The process died at a point. Not an ``Exception``: nothing in the rooms may catch it."""


class Room:
    """A home with three partners, two of them with an account for SEPA, and its clock."""

    def __init__(self, earlier: Room | None = None, posted: list[dict] | None = None) -> None:
        """earlier: a room that was left, to go on from; posted: what its nights have posted."""
        self.folder = Path(mkdtemp(prefix="partnerledger-story-"))
        self.homes = 0
        self.as_of = earlier.as_of if earlier else FIRST_NIGHT
        self.runs = earlier.runs if earlier else 0
        # The terms of today: those of the last proposal.
        self.rules = earlier.rules if earlier else STORY_RULES
        self.points: list[str] = []
        self._rows: dict[tuple[int, str], list[tuple]] = {}
        self._contents: dict[str, BatchContent] = {}
        warehouse = new_warehouse()
        home = earlier.home if earlier else _first_home()
        home = Path(shutil.copytree(home, self._next_home()))
        self.world = World(home, open_store(home, synchronous="OFF"), warehouse)
        for partner_id in PARTNERS:
            self.world.partner(partner_id, f"Agency {partner_id[-1]}")
        if posted:
            self.world.desire(*posted)
        self.vault = open_vault(home, KEY)
        self.refresh()

    def leave(self) -> None:
        """Close it; its home stays until the process ends, for rooms that go on from it."""
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.world.store.close()
        self.world.warehouse.close()

    def close(self) -> None:
        """Remove everything."""
        self.world.store.close()
        self.world.warehouse.close()
        shutil.rmtree(self.folder)

    @property
    def home(self) -> Path:
        """Where it lies now; a crash moves it."""
        return self.world.home

    @property
    def store(self):
        """Its control database."""
        return self.world.store

    @property
    def now(self) -> datetime:
        """The wall clock: the morning after the last night."""
        return datetime.combine(self.as_of + timedelta(1), time(9))

    def _next_home(self) -> Path:
        self.homes += 1
        return self.folder / f"home_{self.homes}"

    @contextmanager
    def crashing(self, at: int | None) -> Iterator[None]:
        """Die at the ``at``-th point that is reached, counted from 0; None or too many: not."""
        self.points = []
        copied = self._next_home()

        def observe(name: str) -> None:
            self.points.append(name)
            if at is not None and len(self.points) == at + 1:
                shutil.copytree(self.home, copied)
                raise Crash(name)

        checkpoints.observer = observe
        try:
            yield
        except Crash:
            self._go_on_in(copied)
        finally:
            checkpoints.observer = None

    def _go_on_in(self, home: Path) -> None:
        before = self.home
        self.store.close()
        self.world.home, self.world.store = home, open_store(home, synchronous="OFF")
        self.vault = open_vault(home, KEY)
        shutil.rmtree(before)
        self.refresh()

    def refresh(self) -> None:
        """Load the control tables, as each night does before its models are built."""
        load_control_tables(self.store, self.home, self.world.warehouse)
        create_models(self.world.warehouse)

    def night(self, days: int, entries: list[dict]) -> None:
        """The night ``days`` later posts these entries."""
        self.as_of += timedelta(days)
        self.runs += 1
        if entries:
            self.world.desire(*entries)
        post_differences(
            self.store, self.home, self.world.warehouse, as_of=self.as_of,
            recorded_at=datetime.combine(self.as_of + timedelta(1), time()),
            run_id=f"run_{self.runs}", registered_at=self.now,
        )  # fmt: skip
        self.refresh()

    def stale(self) -> set[str]:
        """What the night does before it proposes."""
        found = refresh_batches(
            self.store, self.home, self.world.warehouse, as_of=self.as_of, rules=self.rules,
            approval_rules=APPROVALS, recorded_at=self.now,
        )  # fmt: skip
        return {batch_id for batch_id, _ in found}

    def propose(self, pay_date: date | None, share: Decimal, maker: str) -> None:
        """Propose the due batches, or those of a pay date, under terms with this share."""
        self.rules = replace(STORY_RULES, offset_share=share)
        propose(
            self.store, self.home, self.world.warehouse, as_of=self.as_of,
            calendar=[PayDay(paid, cutoff) for cutoff, paid in CALENDAR.items()],
            rules=self.rules, actor=maker, proposed_at=self.now, pay_date=pay_date,
        )  # fmt: skip

    def approve(self, batch_id: str, actor: str, role: str) -> None:
        """One approval of the batch's own hash, by who has not looked at the payout terms."""
        with self.store.read() as connection:
            approved_hash = load_state(connection, batch_id).content_hash
        approve(
            self.store, self.home, batch_id, approved_hash=approved_hash, actor=actor, role=role,
            rules=APPROVALS, recorded_at=self.now,
        )  # fmt: skip

    def export(self, batch_id: str):
        """Export it, to be paid on the next day on which banks work."""
        content = self.content(batch_id)
        day = max(content.pay_date, self.now.date())
        while day.weekday() >= SATURDAY or day in rail_holidays("sepa", day, day):
            day += timedelta(1)
        return export_batch(
            self.store, self.home, batch_id, warehouse=self.world.warehouse, as_of=self.as_of,
            rules=self.rules, approval_rules=APPROVALS, exported_at=self.now, vault=self.vault,
            execution_date=day, today=self.now.date(),
        )  # fmt: skip

    def change_account(self, partner_id: str, account: int) -> None:
        """Ben proposes, Dan asks the old contact and approves."""
        owner = partner_owner(partner_id)
        details = SepaDetails(f"Holder of {partner_id}", ACCOUNTS[partner_id][account - 1])
        _put(self.store, self.vault, owner, details, self.now)

    def check_payee(self, partner_id: str) -> None:
        """Somebody has looked at the details and found them right."""
        record_payee(
            self.store, partner_id, actor=DAN, recorded_at=self.now, payee_verified=True,
            rules=APPROVALS, reason="called",
        )  # fmt: skip

    def sent(self, batch_id: str, actor: str) -> None:
        """The bank has the file."""
        confirm_sent(
            self.store, batch_id, reference="UPLOAD 77", actor=actor, rules=APPROVALS,
            recorded_at=self.now,
        )  # fmt: skip

    def settle(self, content: bytes):
        """Read a file of the bank."""
        return settle(
            self.store, self.home, content, "bank.csv", actor=BEN, rules=APPROVALS,
            timezone="UTC", read_at=self.now,
        )  # fmt: skip

    def ask_abort(self, batch_id: str, actor: str) -> None:
        """Ask for an abort."""
        request_abort(
            self.store, batch_id, reason="wrong file", evidence="the portal shows no upload",
            actor=actor, rules=APPROVALS, recorded_at=self.now,
        )  # fmt: skip

    def abort(self, batch_id: str, actor: str):
        """Agree to an abort."""
        return abort(
            self.store, self.home, batch_id, reason="agreed", evidence="called the bank",
            actor=actor, rules=APPROVALS, timezone="UTC", recorded_at=self.now,
        )  # fmt: skip

    def content(self, batch_id: str) -> BatchContent:
        """The stored content; read once, because ``verify`` compares it with its hash."""
        if batch_id not in self._contents:
            with self.store.read() as connection:
                self._contents[batch_id] = load_content(connection, batch_id)
        return self._contents[batch_id]

    def claims(self, batch_id: str) -> dict[str, int]:
        """Entry id → claimed part, as the claims file has it."""
        path = self.home / "batches" / batch_id / "claims.parquet"
        return dict(
            self.world.warehouse.execute(
                f"select entry_id, payout_amount_minor from {parquet_scan([path])}"
            ).fetchall()
        )

    def journal(self) -> list[tuple]:
        """All registered entries: ``ENTRY_COLUMNS``. A segment is read once by number and hash."""
        with self.store.read() as connection:
            registered = records(connection)
        rows = []
        for record in registered:
            key = (record.segment, record.sha256)
            if key not in self._rows:
                self._rows[key] = self.world.warehouse.execute(
                    f"select {', '.join(ENTRY_COLUMNS)} from "
                    f"{parquet_scan([self.home / record.path])}"
                ).fetchall()
            rows += self._rows[key]
        return rows


@cache
def _first_home() -> Path:
    """Payees who pass every gate, their accounts and the payer's; made once per process."""
    folder = Path(mkdtemp(prefix="partnerledger-first-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    world = World.create(folder / "home", "OFF")
    vault = open_vault(world.home, KEY)
    at = datetime.combine(FIRST_NIGHT - timedelta(30), time(9))
    for partner_id in PARTNERS:
        world.ready_payee(partner_id)
    for partner_id, accounts in ACCOUNTS.items():
        details = SepaDetails(f"Holder of {partner_id}", accounts[0])
        _put(world.store, vault, partner_owner(partner_id), details, at)
    _put(world.store, vault, payer_owner("sepa"), PAYER, at)
    world.store.close()
    world.warehouse.close()
    return world.home


def _put(store, vault, owner: str, details, at: datetime) -> None:
    record = propose_record(
        store, vault, owner, details, actor=BEN, rules=APPROVALS, recorded_at=at
    )
    if record.confirmation_needed:
        confirm_details(
            store, owner, record.details_id, reason="called the number on file", actor=DAN,
            rules=APPROVALS, recorded_at=at,
        )  # fmt: skip
    approve_details(
        store, owner, record.details_id, reason="checked", actor=DAN, rules=APPROVALS,
        cooling_off_days=STORY_RULES.cooling_off_days, timezone="UTC", recorded_at=at,
    )  # fmt: skip
