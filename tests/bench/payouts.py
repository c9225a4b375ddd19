"""Batches of a large programme over a year: propose, approve, export, settle, verify.

Half of the partners are paid in EUR by a SEPA file, half in USD by the generic CSV; one payout of
each month comes back. The room is used as the night and the command line use it, with a small
warehouse in memory that has its relations; what models cost is measured elsewhere (`commission`).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from tests.bench.processes import run_measured

PARTNERS, MONTHS, ENTRIES = 500, 12, 100
STEPS = (
    "control tables", "propose", "approve twice", "export csv", "export sepa", "settle camt.054",
    "settle status csv", "verify",
)  # fmt: skip
# As in production; only the test of this file turns it off.
_SYNCHRONOUS = "FULL"
_KEY = base64.b64encode(hashlib.sha256(b"the key of a benchmark").digest()).decode()
_PAYER_IBAN = "BE68539007547034"
_SATURDAY = 5
# A table, as dbt builds it; the view of the small warehouse would be computed by every step.
_CANDIDATES = "exports.candidates"


@dataclass(frozen=True)
class StepCost:
    """One step, all months together: wall and CPU seconds; last_wall_seconds: of its last time."""

    wall_seconds: float
    cpu_seconds: float
    last_wall_seconds: float


@dataclass(frozen=True)
class PayoutsTiming:
    """What a year took. peak_mb: of the whole process. load: of the machine in the last minute."""

    partners: int
    months: int
    entries: int
    payouts: int
    events: int
    steps: Mapping[str, StepCost]
    wall_seconds: float
    cpu_seconds: float
    peak_mb: int
    load: float


class _Clock:
    """Adds up what each step takes."""

    def __init__(self) -> None:
        self.spent: dict[str, list[tuple[float, float]]] = {step: [] for step in STEPS}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure one time of a step."""
        wall, cpu = time.monotonic(), time.process_time()
        yield
        self.spent[name].append((time.monotonic() - wall, time.process_time() - cpu))

    def costs(self) -> dict[str, StepCost]:
        """All steps that were measured."""
        return {
            name: StepCost(
                sum(wall for wall, _ in times), sum(cpu for _, cpu in times), times[-1][0]
            )
            for name, times in self.spent.items()
            if times
        }


def measure_payouts(work: Path, scale: float = 1.0) -> PayoutsTiming:
    """Run the year in a process of its own; ``scale`` is of the partners and of their entries."""
    folder = work / "payouts"
    folder.mkdir(parents=True)
    sizes = (max(round(PARTNERS * scale), 4), MONTHS, max(round(ENTRIES * scale), 2))
    output = folder / "year.json"
    usage = run_measured(
        [sys.executable, "-m", "tests.bench.payouts", str(folder / "home"), *map(str, sizes)],
        output,
        {"PARTNERLEDGER_VAULT_KEY": _KEY},
    )
    record = json.loads(output.read_text(encoding="utf-8"))
    return PayoutsTiming(
        *sizes,
        payouts=record["payouts"],
        events=record["events"],
        steps={name: StepCost(*cost) for name, cost in record["steps"].items()},
        wall_seconds=usage.wall_seconds,
        cpu_seconds=usage.cpu_seconds,
        peak_mb=usage.peak_mb,
        load=os.getloadavg()[0],
    )


def run_year(
    home: Path, partners: int, months: int, entries: int, synchronous: str = _SYNCHRONOUS
) -> dict[str, object]:
    """A year of batches; the costs of its steps, and how many payouts and events there are.

    Raises: SystemExit when a check of ``verify`` fails, because then nothing was measured.
    """
    from payouts import events
    from payouts.outcomes import all_item_states
    from payouts.verify import verify

    clock = _Clock()
    year = _Year(home, partners, entries, clock, synchronous)
    for number in range(months):
        year.month(number)
    with clock.step("verify"):
        found = verify(home, store=year.world.store, warehouse=year.world.warehouse)
    faults = [f"{finding.check}: {finding.detail}" for finding in found if not finding.ok]
    if faults:
        raise SystemExit("\n".join(faults))
    with year.world.store.read() as connection:
        payouts = len(all_item_states(connection))
        seq = events.head(connection).seq
    year.world.store.close()
    costs = {name: list(vars(cost).values()) for name, cost in clock.costs().items()}
    return {"steps": costs, "payouts": payouts, "events": seq}


class _Year:
    """A home with partners, and what happens to it every month."""

    def __init__(
        self, home: Path, partners: int, entries: int, clock: _Clock, synchronous: str
    ) -> None:
        from payouts.vault import open_vault
        from tests.unit.payouts.payout_world import RULES, World

        self.home, self.partners, self.entries, self.clock = home, partners, entries, clock
        self.rules = replace(
            RULES, rails={"EUR": "sepa", "default": "csv"}, minimums_minor={}, cooling_off_days=0
        )
        self.world = World.create(home, synchronous)
        self.vault = open_vault(home, _KEY)
        self._people()

    def _people(self) -> None:
        from payouts.details import SepaDetails, SepaPayer
        from payouts.payee_details import partner_owner, payer_owner

        self._put(payer_owner("sepa"), SepaPayer("Acme", _PAYER_IBAN, "", "BE", "Brussels"))
        for number in range(self.partners):
            partner_id = f"p_{number}"
            self.world.partner(partner_id, f"Agency {number}")
            self.world.ready_payee(partner_id)
            if number % 2 == 0:
                self._put(partner_owner(partner_id), SepaDetails(f"Agency {number}", _iban(number)))

    def _put(self, owner: str, details: object) -> None:
        from payouts.payee_details import approve_details, propose_details
        from tests.unit.payouts.payout_world import APPROVALS, BEN, DAN

        said = {"rules": APPROVALS, "recorded_at": datetime(2024, 12, 1)}
        store = self.world.store
        record = propose_details(store, self.vault, owner, details, actor=BEN, **said)
        approve_details(
            store, owner, record.details_id, reason="checked", actor=DAN, cooling_off_days=0,
            timezone="UTC", **said,
        )  # fmt: skip

    def month(self, number: int) -> None:
        """Entries of a month are posted, paid on the 15th of the next, and settled."""
        cutoff, pay_date = _last_day(2025, number + 1), _last_day(2025, number + 1) + timedelta(15)
        now = datetime.combine(cutoff + timedelta(3), datetime.min.time())
        self._earn(number, cutoff)
        self._refresh()
        batches = self._propose(cutoff, pay_date, now)
        with self.clock.step("approve twice"):
            for batch in batches:
                self.world.approve(batch, "ana@acme.example", "partnerships", recorded_at=now)
                # A large total needs two of finance.
                for actor in ("ben@acme.example", "dan@acme.example"):
                    if self.world.state(batch) != "finance_approved":
                        self.world.approve(batch, actor, "finance", recorded_at=now)
        for batch in batches:
            with self.clock.step(f"export {batch.rail}"):
                self.world.export(
                    batch, as_of=cutoff, rules=self.rules, exported_at=now, vault=self.vault,
                    execution_date=_business_day(pay_date), today=now.date(),
                    relation=_CANDIDATES,
                )  # fmt: skip
        for batch in batches:
            self._confirm(batch, now)
            self._settle(batch, _business_day(pay_date))

    def _earn(self, number: int, cutoff: date) -> None:
        from payouts.journal import post_differences

        self.world.warehouse.execute(
            _desired_sql(), {"month": number, "day": cutoff, "partners": self.partners,
                             "entries": self.entries}
        )  # fmt: skip
        self.world.refresh()
        end = datetime.combine(cutoff + timedelta(1), datetime.min.time())
        post_differences(
            self.world.store, self.home, self.world.warehouse, as_of=cutoff, recorded_at=end,
            run_id=f"night_{number}", registered_at=end,
        )  # fmt: skip

    def _refresh(self) -> None:
        """The night loads the control tables, and its models, which are not measured, follow."""
        from payouts.control import load_control_tables

        with self.clock.step("control tables"):
            load_control_tables(self.world.store, self.home, self.world.warehouse)
        self.world.warehouse.execute(
            f"create or replace table {_CANDIDATES} as from exports.exp_payout_candidates"
        )

    def _propose(self, cutoff: date, pay_date: date, now: datetime) -> list:
        from tests.unit.payouts.payout_world import PayDay

        with self.clock.step("propose"):
            return self.world.propose(
                as_of=cutoff, calendar=[PayDay(pay_date, cutoff)], rules=self.rules,
                proposed_at=now, relation=_CANDIDATES,
            )  # fmt: skip

    def _confirm(self, batch: object, at: datetime) -> None:
        """Somebody else than who reads the bank's files has uploaded the batch's."""
        from payouts.settlement.applying import confirm_sent
        from tests.unit.payouts.payout_world import APPROVALS, DAN

        confirm_sent(
            self.world.store, batch.batch_id, reference="UPLOAD 1", actor=DAN, rules=APPROVALS,
            recorded_at=at,
        )  # fmt: skip

    def _settle(self, batch: object, day: date) -> None:
        """The bank's answer: all were paid but the first, which came back and was looked at."""
        from payouts.payees import record_payee
        from payouts.records import load_content
        from tests.unit.payouts.payout_world import APPROVALS, DAN

        with self.world.store.read() as connection:
            items = load_content(connection, batch.batch_id).items
        is_sepa = batch.rail == "sepa"
        content = (_camt if is_sepa else _status)(items, batch.currency_code, day)
        with self.clock.step("settle camt.054" if is_sepa else "settle status csv"):
            result = self._read(content, datetime.combine(day + timedelta(2), datetime.min.time()))
        if sum(result.outcomes.values()) != len(items):
            raise SystemExit(f"{batch.batch_id}: not every line of the bank's file was applied")
        for partner_id in result.asked_partners:
            record_payee(
                self.world.store, partner_id, actor=DAN, payee_verified=True, rules=APPROVALS,
                recorded_at=datetime.combine(day + timedelta(2), datetime.min.time()),
            )  # fmt: skip

    def _read(self, content: bytes, at: datetime):
        from payouts.settlement.applying import settle
        from tests.unit.payouts.payout_world import APPROVALS, BEN

        return settle(
            self.world.store, self.home, content, "bank.txt", actor=BEN, rules=APPROVALS,
            timezone="UTC", read_at=at,
        )  # fmt: skip


def _desired_sql() -> str:
    """Earnings of a month: every partner's entries, EUR for even partners; ids as in J2."""
    from payouts.ids import KEY_SEPARATOR, uuid5_sql
    from payouts.journal_schema import COLUMNS

    key = (
        f"concat_ws('{KEY_SEPARATOR}', 'earning', 'recurring', 'invoice_line', source_id, "
        "partner_id, '', '')"
    )
    values = {
        "entry_id": uuid5_sql(f"{key} || '{KEY_SEPARATOR}1'"), "commission_id": uuid5_sql(key),
        "entry_kind": "'earning'", "partner_id": "partner_id", "customer_id": "'c_1'",
        "lead_id": "'lead_' || source_id", "plan_id": "'standard'",
        "plan_version": "'2025-01-01'", "component_id": "'recurring'",
        "source_type": "'invoice_line'", "source_id": "source_id", "cause_type": "''",
        "cause_id": "''", "amount_minor": "amount_minor", "currency_code": "currency_code",
        "payout_amount_minor": "amount_minor", "payout_currency_code": "currency_code",
        "effective_date": "$day", "available_date": "$day",
        "posting_period": "strftime($day::date, '%Y-%m')", "ordinal": "1",
        "reverses_entry_id": "null", "corrects_entry_id": "null",
        "explanation": """'{"rate":"0.2"}'""",
    }  # fmt: skip
    names = [name for name, _ in COLUMNS]
    return (
        f"insert into intermediate.desired ({', '.join(names)}) "
        f"select {', '.join(values[name] for name in names)} from ("
        "select 'p_' || partner as partner_id, 'il_' || $month || '_' || partner || '_' || number "
        "as source_id, if(partner % 2 = 0, 'EUR', 'USD') as currency_code, "
        "500 + (partner * 31 + number * 7) % 4500 as amount_minor "
        "from range($partners) as partners(partner), range($entries) as numbers(number))"
    )


def _camt(items: tuple, currency_code: str, day: date) -> bytes:
    from payouts.files.references import end_to_end_id
    from program.currencies import format_minor
    from tests.unit.payouts.settlement.bank_files import Move, camt

    return camt(
        [
            Move(
                end_to_end_id(item.payout_id), format_minor(item.amount_minor, currency_code),
                number == 0, "AC04" if number == 0 else "", day.isoformat(), currency_code,
            )
            for number, item in enumerate(items)
        ],
        kind="054",
    )  # fmt: skip


def _status(items: tuple, currency_code: str, day: date) -> bytes:
    from tests.unit.payouts.settlement.bank_files import status_csv

    return status_csv(
        *(
            (item.payout_id, "failed" if number == 0 else "settled", item.amount_minor,
             currency_code, day.isoformat(), "", "")
            for number, item in enumerate(items)
        )
    )  # fmt: skip


def _iban(number: int) -> str:
    """A German IBAN of an invented account, with right check digits (ISO 13616)."""
    account = f"37040044{number:010}"
    return f"DE{98 - int(account + '131400') % 97:02}{account}"


def _last_day(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(1)


def _business_day(day: date) -> date:
    from program.holidays import rail_holidays

    while day.weekday() >= _SATURDAY or day in rail_holidays("sepa", day, day):
        day += timedelta(1)
    return day


def main() -> None:
    """One year: `HOME PARTNERS MONTHS ENTRIES`; prints its record as JSON."""
    home, *sizes = sys.argv[1:]
    print(json.dumps(run_year(Path(home), *map(int, sizes))))


if __name__ == "__main__":
    main()
