"""A small home with journal, warehouse and people, for tests of the payouts room.

What belongs here: building facts. What does not: expectations; each test states its own.
The warehouse is an in-memory DuckDB: ``desired`` is what the journal should add up to, the
differences and candidates are plain SQL over it, as the models of the project are.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from payouts import ids
from payouts.approvals import approve
from payouts.batches import propose
from payouts.control import load_control_tables
from payouts.export import export_batch
from payouts.journal import post_differences
from payouts.journal_schema import COLUMNS
from payouts.payees import record_payee
from payouts.records import BatchSummary, list_batches
from payouts.store import Store, open_store
from payouts.terms import ApprovalRules, PayoutRules, Tier

ANA, BEN, CAT, DAN = "ana@acme.example", "ben@acme.example", "cat@acme.example", "dan@acme.example"
NIGHT = date(2026, 2, 28)
NIGHT_END = datetime(2026, 3, 1)
CLOCK = datetime(2026, 3, 2, 9, 0, 0)


@dataclass(frozen=True)
class PayDay:
    pay_date: date
    cutoff_date: date


CALENDAR = [
    PayDay(date(2026, 1, 15), date(2025, 12, 31)),
    PayDay(date(2026, 2, 15), date(2026, 1, 31)),
    PayDay(date(2026, 3, 15), date(2026, 2, 28)),
    PayDay(date(2026, 4, 15), date(2026, 3, 31)),
]
RULES = PayoutRules(
    legal_entity="Acme Inc",
    terms_hash="t" * 64,
    minimums_minor={"USD": 5000, "JPY": 5000},
)
APPROVALS = ApprovalRules(
    roles={"partnerships": frozenset({ANA, CAT}), "finance": frozenset({BEN, CAT, DAN})},
    tiers=(Tier(up_to=Decimal("25000.00")), Tier(finance=2)),
)


def entry(
    source_id: str,
    amount_minor: int,
    *,
    partner_id: str = "p_1",
    entry_kind: str = "earning",
    currency_code: str = "USD",
    cause_id: str = "",
    available_date: date = date(2026, 2, 1),
    ordinal: int = 1,
    plan_version: str = "2025-01-01",
    reverses_entry_id: str | None = None,
    lead_id: str = "lead_1",
) -> dict:
    """One journal entry with true ids."""
    cause_type = "refund" if cause_id else ""
    key = ids.natural_key(
        entry_kind, "recurring", "invoice_line", source_id, partner_id, cause_type, cause_id
    )
    return {
        "entry_id": ids.entry_id(key, ordinal),
        "commission_id": ids.commission_id(key),
        "entry_kind": entry_kind,
        "partner_id": partner_id,
        "customer_id": "c_1",
        "lead_id": lead_id,
        "plan_id": "standard",
        "plan_version": plan_version,
        "component_id": "recurring",
        "source_type": "invoice_line",
        "source_id": source_id,
        "cause_type": cause_type,
        "cause_id": cause_id,
        "amount_minor": amount_minor,
        "currency_code": currency_code,
        "payout_amount_minor": amount_minor,
        "payout_currency_code": currency_code,
        "effective_date": date(2026, 1, 2),
        "available_date": available_date,
        "posting_period": "2026-01",
        "ordinal": ordinal,
        "reverses_entry_id": reverses_entry_id,
        "corrects_entry_id": None,
        "explanation": '{"rate":"0.2"}',
    }


class World:
    """A home, its control database and a warehouse."""

    def __init__(
        self,
        home: Path,
        store: Store,
        warehouse: duckdb.DuckDBPyConnection | Kept,
        runs: int = 0,
    ) -> None:
        """warehouse: open, or the world that this is a copy of."""
        self.home, self.store, self.runs = home, store, runs
        self._warehouse = warehouse

    @property
    def warehouse(self) -> duckdb.DuckDBPyConnection:
        """Of a copy it is loaded when somebody asks: many tests look at decisions alone."""
        if isinstance(self._warehouse, Kept):
            self._warehouse = self._warehouse.load_warehouse()
        return self._warehouse

    @warehouse.setter
    def warehouse(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        self._warehouse = warehouse

    @classmethod
    def create(cls, home: Path, synchronous: str = "FULL") -> World:
        """An empty home; a copy, for migrating takes 0.3 s."""
        return kept(_make_empty).copy(home, synchronous, cls)

    def partner(
        self, partner_id: str, name: str = "Agency One", status: str = "active", pilot: bool = False
    ) -> None:
        """Set what the directory says about a partner."""
        self.warehouse.execute("delete from marts.dim_partners where partner_id = ?", [partner_id])
        self.warehouse.execute(
            "insert into marts.dim_partners values (?, ?, ?, ?)", [partner_id, name, status, pilot]
        )

    def ready_payee(self, partner_id: str, **more: str) -> None:
        """Record a payee that passes every gate."""
        record_payee(
            self.store, partner_id, actor=DAN, recorded_at=CLOCK, terms_accepted=True,
            payee_verified=True, tax_form=True, screening=True, rules=APPROVALS, **more,
        )  # fmt: skip

    def desire(self, *entries: dict) -> None:
        """Add entries that the journal should have."""
        names = ", ".join(name for name, _ in COLUMNS)
        marks = ", ".join("?" for _ in COLUMNS)
        # One statement for all: DuckDB runs those of `executemany` one by one.
        self.warehouse.execute(
            f"insert into intermediate.desired ({names}) "
            f"values {', '.join(f'({marks})' for _ in entries)}",
            [row[name] for row in entries for name, _ in COLUMNS],
        )

    def refresh(self) -> None:
        """Load control tables, as each night does before the models are built."""
        load_control_tables(self.store, self.home, self.warehouse)
        create_models(self.warehouse)

    def post(self, as_of: date = NIGHT, run_id: str | None = None, **options):
        """One posting; the differences are those of the journal of now."""
        self.runs += 1
        self.refresh()
        result = post_differences(
            self.store, self.home, self.warehouse, as_of=as_of,
            recorded_at=datetime.combine(as_of + timedelta(days=1), datetime.min.time()),
            run_id=run_id or f"run_{self.runs}", registered_at=CLOCK, **options,
        )  # fmt: skip
        self.refresh()
        return result

    def propose(self, **options) -> list[BatchSummary]:
        """Propose the due batches, or those of ``pay_date``."""
        arguments = {
            "as_of": NIGHT, "calendar": CALENDAR, "rules": RULES, "actor": "system:night",
            "proposed_at": CLOCK, **options,
        }  # fmt: skip
        return propose(self.store, self.home, self.warehouse, **arguments)

    def approve(self, batch: BatchSummary, actor: str, role: str, **options):
        """Approve the batch's own hash."""
        arguments = {
            "approved_hash": batch.content_hash, "actor": actor, "role": role, "rules": APPROVALS,
            "recorded_at": CLOCK, **options,
        }  # fmt: skip
        return approve(self.store, self.home, batch.batch_id, **arguments)

    def approve_fully(self, batch: BatchSummary) -> None:
        """Two people of the two roles."""
        self.approve(batch, ANA, "partnerships")
        self.approve(batch, BEN, "finance")

    def export(self, batch: BatchSummary, **options):
        """Export with the facts of now."""
        arguments = {
            "warehouse": self.warehouse, "as_of": NIGHT, "rules": RULES,
            "approval_rules": APPROVALS, "exported_at": CLOCK, **options,
        }  # fmt: skip
        return export_batch(self.store, self.home, batch.batch_id, **arguments)

    def batch_in(self, currency_code: str = "USD") -> BatchSummary:
        """The batch of a currency in a home that has one."""
        with self.store.read() as connection:
            (found,) = [row for row in list_batches(connection)
                        if row.currency_code == currency_code]  # fmt: skip
        return found

    def state(self, batch: BatchSummary) -> str:
        """State of a batch as the list shows it."""
        with self.store.read() as connection:
            return {row.batch_id: row.state for row in list_batches(connection)}[batch.batch_id]


class Kept:
    """A world made once in this process, of which tests take copies."""

    def __init__(self, make: Callable[[Path], World]) -> None:
        """make: builds it in a new home; its store is closed afterwards."""
        self._folder = TemporaryDirectory()
        root = Path(self._folder.name)
        world = make(root / "home")
        world.store.close()
        self._home, self._runs = world.home, world.runs
        self._warehouse_file = root / "warehouse.duckdb"
        with self._attached(world.warehouse):
            world.warehouse.execute("copy from database memory to kept")

    def copy(self, home: Path, synchronous: str = "OFF", kind: type[World] | None = None) -> World:
        """As it was left, its warehouse as of then. kind: the class, if not ``World``."""
        shutil.copytree(self._home, home, dirs_exist_ok=True)
        store = open_store(home, synchronous=synchronous)
        return (kind or World)(home, store, self, self._runs)

    def load_warehouse(self) -> duckdb.DuckDBPyConnection:
        """The warehouse in memory; its views read the files of the first home, which are equal."""
        connection = duckdb.connect(":memory:")
        connection.execute("set TimeZone = 'UTC'")
        with self._attached(connection):
            connection.execute("copy from database kept to memory")
        return connection

    @contextmanager
    def _attached(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        connection.execute(f"attach '{self._warehouse_file}' as kept")
        yield
        connection.execute("detach kept")


@cache
def kept(make: Callable[[Path], World]) -> Kept:
    """What ``make`` builds, made once; proposing and posting take longer than most tests."""
    return Kept(make)


def _make_empty(home: Path) -> World:
    world = World(home, open_store(home), new_warehouse())
    world.refresh()
    return world


def new_warehouse() -> duckdb.DuckDBPyConnection:
    """An empty warehouse with the relations that the room reads."""
    connection = duckdb.connect(":memory:")
    connection.execute("set TimeZone = 'UTC'")
    for schema in ("raw", "intermediate", "marts", "exports"):
        connection.execute(f"create schema {schema}")
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS)
    connection.execute(f"create table intermediate.desired ({columns})")
    connection.execute(
        "create table marts.dim_partners "
        "(partner_id varchar, name varchar, status varchar, is_pilot boolean)"
    )
    return connection


def create_models(connection: duckdb.DuckDBPyConnection) -> None:
    """Differences, desired lines and candidates, as views."""
    names = ", ".join(name for name, _ in COLUMNS)
    connection.execute(
        "create table if not exists marts.fct_entry_holds (entry_id varchar, hold_reason varchar)"
    )
    connection.execute(
        f"create or replace view intermediate.int_journal__differences as select {names} "
        "from intermediate.desired anti join raw.journal__entries using (entry_id)"
    )
    connection.execute(
        "create or replace view marts.fct_commission_lines as select commission_id, "
        "sum(amount_minor) as amount_minor, sum(payout_amount_minor) as payout_amount_minor "
        "from intermediate.desired group by 1"
    )
    connection.execute(
        "create or replace view exports.exp_payout_candidates as select entry.entry_id, "
        "entry.commission_id, entry.entry_kind, entry.partner_id, "
        "dim_partners.name as partner_name, dim_partners.status as partner_status, "
        "dim_partners.is_pilot, entry.customer_id, entry.lead_id, "
        "entry.payout_amount_minor - coalesce(paid.amount_minor, 0) as payout_amount_minor, "
        "entry.payout_amount_minor as entry_amount_minor, "
        "coalesce(reversed.commission_id, entry.commission_id) as line_id, "
        "entry.payout_currency_code, entry.effective_date, entry.available_date, "
        "hold_reason is not null as is_held, hold_reason "
        "from raw.journal__entries as entry left join marts.dim_partners using (partner_id) "
        "left join marts.fct_entry_holds using (entry_id) "
        # Not a second condition: DuckDB would compare every entry with every other.
        "left join raw.journal__entries as reversed on reversed.entry_id = "
        "case when entry.entry_kind <> 'payout_return' then entry.reverses_entry_id end "
        "left join (select entry_id, sum(claimed_amount_minor) as amount_minor "
        "from raw.control__claims where batch_state in ('exported', 'sent', 'closed', 'aborted') "
        "group by entry_id) as paid on paid.entry_id = entry.entry_id "
        "where entry.entry_kind <> 'payout' and (paid.entry_id is null "
        "or paid.amount_minor <> entry.payout_amount_minor)"
    )


def payable_world(home: Path, synchronous: str = "OFF") -> World:
    """One active, ready partner with 150.00 USD and 12,000 JPY posted and available; a copy."""
    return kept(make_payable_world).copy(home, synchronous)


def make_payable_world(home: Path) -> World:
    """The same, made step by step."""
    return make_payable(World.create(home, "OFF"))


def make_payable(world: World) -> World:
    """Give an empty home what ``payable_world`` has."""
    world.partner("p_1")
    world.ready_payee("p_1")
    world.desire(
        entry("il_1", 10000), entry("il_2", 5000), entry("il_3", 12000, currency_code="JPY")
    )
    world.post()
    return world
