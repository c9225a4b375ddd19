"""A home with a control database and a hand-written snapshot, for tests of the command line.

The snapshot has the columns that commands read, in the tables that they read; no dbt, no Dagster.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb
import pytest
import typer

from payouts.store import open_store

REPOSITORY = Path(__file__).resolve().parents[3]
RUN_ID = "2026-02-28-0001"
TABLES = """
create schema marts;
create schema exports;
create table marts.mart_metadata as select '2026-02-28-0001' as run_id;
create table marts.dim_partners as select 'p1' as partner_id, 'Ann Partner' as name,
    'default' as "group", 'active' as status, false as is_pilot, 'USD' as payout_currency_code,
    'standard' as plan_id, timestamp '2025-06-01' as joined_at;
create table marts.dim_terms as select 'standard' as plan_id, '2025-01-01' as plan_version,
    'recurring' as component_id, 'recurring' as kind, 0.2::decimal(9,6) as rate;
create table marts.fct_partner_balances as select 'p1' as partner_id,
    'USD' as payout_currency_code, 2000::bigint as earned_amount_minor,
    -500::bigint as reversed_amount_minor, 0::bigint as on_hold_amount_minor,
    1500::bigint as available_amount_minor, 0::bigint as in_batch_amount_minor,
    0::bigint as paid_amount_minor, 1500::bigint as balance_amount_minor;
create table marts.fct_leads as select 'lead_1' as lead_id, 'e***@buyer.example' as email_masked,
    'buyer.example' as company_domain, 'c1' as customer_id, 'first_payment' as stage,
    'valid' as verdict, 'L2:demo_booked' as rule, null::varchar as owner,
    timestamp '2026-01-08 10:00:00' as valid_at, timestamp '2026-01-15' as last_moved_at;
create table marts.fct_lead_submissions as select 'drop:form_submissions:f1' as submission_key,
    'lead_1' as lead_id, 'p1' as partner_id, timestamp '2026-01-05' as submitted_at,
    'valid' as verdict, 'L2' as rule, null::varchar as rival_key;
create table marts.fct_touchpoints as
    select 'drop:touchpoints:t1' as touchpoint_id, 'lead_1' as lead_id, 'p1' as partner_id,
        'referral_link' as touch_type, timestamp '2026-01-05' as occurred_at
    union all
    select 'drop:form_submissions:f1', 'lead_1', 'p1', 'form_field', timestamp '2026-01-05';
create table marts.fct_attribution_candidates as select 'lead_1' as lead_id, 'p1' as partner_id,
    'drop:touchpoints:t1' as touchpoint_id, 'referral_link' as touch_type,
    timestamp '2026-01-05' as occurred_at, true as is_winner, 'A3:last_touch' as rule,
    null::varchar as lost_to;
create table marts.fct_attributions as select 'lead_1' as lead_id, 'p1' as partner_id,
    'last_touch' as model, true as is_paying, 1000000 as credit_ppm,
    timestamp '2026-01-08 10:00:00' as decided_at, 'drop:touchpoints:t1' as touchpoint_id;
create table marts.fct_commission_lines as
    select 'k1' as commission_id, 'earning' as kind, 'p1' as partner_id, 'lead_1' as lead_id,
        'c1' as customer_id, 'standard' as plan_id, '2025-01-01' as plan_version,
        'recurring' as component_id, 'invoice_line' as source_type, 'l1' as source_id,
        '' as cause_type, '' as cause_id, 'i1' as invoice_id, 10000::bigint as base_amount_minor,
        0.2::decimal(9,6) as rate, 2000::bigint as amount_minor, 'USD' as currency_code,
        2000::bigint as payout_amount_minor, 'USD' as payout_currency_code,
        date '2026-01-15' as effective_date, 'eligible' as status
    union all
    select 'k2', 'refund', 'p1', 'lead_1', 'c1', 'standard', '2025-01-01', 'recurring',
        'invoice_line', 'l1', 'refund', 'r1', 'i1', 10000, 0.2, -500, 'USD', -500, 'USD',
        date '2026-02-01', 'eligible';
create table marts.fct_commission_entries as
    select 'e1' as entry_id, 'k1' as commission_id, 'earning' as entry_kind, 'p1' as partner_id,
        'c1' as customer_id, 'lead_1' as lead_id, 'standard' as plan_id,
        '2025-01-01' as plan_version, 'recurring' as component_id,
        'invoice_line' as source_type, 'l1' as source_id, '' as cause_type, '' as cause_id,
        2000::bigint as amount_minor, 'USD' as currency_code,
        2000::bigint as payout_amount_minor, 'USD' as payout_currency_code,
        date '2026-01-15' as effective_date, date '2026-02-14' as available_date,
        '2026-01' as posting_period, timestamp '2026-02-01' as recorded_at, 1::bigint as segment,
        1::bigint as ordinal, null::varchar as reverses_entry_id,
        '{"rate":"0.200000"}' as explanation
    union all
    select 'e2', 'k2', 'refund', 'p1', 'c1', 'lead_1', 'standard', '2025-01-01', 'recurring',
        'invoice_line', 'l1', 'refund', 'r1', -500, 'USD', -500, 'USD', date '2026-02-01',
        date '2026-02-14', '2026-02', timestamp '2026-02-02', 2, 1, 'e1', '{"rate":"0.200000"}';
create table marts.fct_entry_holds (entry_id varchar, hold_reason varchar);
create table marts.fct_entry_claims (entry_id varchar, batch_id varchar, payout_id varchar);
create table marts.fct_payout_batches (batch_id varchar, state varchar, pay_date date);
create table marts.fct_payout_items (payout_id varchar, batch_id varchar);
create table marts.fct_unpaid_lines as select 'l9' as invoice_line_id, 'no_attribution' as reason,
    'i9' as invoice_id, 'c9' as customer_id, null::varchar as lead_id, 4000::bigint as amount_minor,
    'USD' as currency_code, date '2026-01-20' as first_paid_date;
"""

# What a snapshot holds since registrations and rulings are decided here.
LEAD_TABLES = """
insert into marts.dim_partners values ('p2', 'Bo Partner', 'default', 'active', false, 'USD',
    'standard', timestamp '2025-06-01');
insert into marts.fct_leads values
    ('lead_2', 'a***@shop.example', 'shop.example', 'c2', 'signup', 'pending', 'L2:no_event_yet',
     'sam', null, timestamp '2026-01-20'),
    ('lead_3', 'b***@shop.example', 'shop.example', null, 'signup', 'pending', 'L2:no_event_yet',
     'kim', null, timestamp '2026-01-21');
create table marts.dim_lead_aliases as select 'lead_0' as alias_lead_id, 'lead_1' as lead_id;
alter table marts.fct_lead_submissions add column submission_type varchar;
alter table marts.fct_lead_submissions add column registration_status varchar;
alter table marts.fct_lead_submissions add column expires_at timestamp;
alter table marts.fct_lead_submissions add column protected_until_at timestamp;
update marts.fct_lead_submissions set submission_type = 'form_submission',
    registration_status = 'form', protected_until_at = timestamp '2026-04-05';
insert into marts.fct_lead_submissions values
    ('drop:deal_registrations:R1', 'lead_1', 'p2', timestamp '2026-01-06',
     'duplicate_other_partner', 'L3', 'drop:form_submissions:f1', 'deal_registration', 'pending',
     null, timestamp '2026-04-06'),
    ('drop:deal_registrations:R2', 'lead_2', 'p2', timestamp '2026-01-07', 'pending', 'L2', null,
     'deal_registration', 'approved', timestamp '2026-05-01', timestamp '2026-05-01');
alter table marts.fct_attribution_candidates add column why varchar;
insert into marts.fct_attribution_candidates values
    ('lead_1', 'p2', 'drop:deal_registrations:R1', 'deal_registration', timestamp '2026-01-06',
     false, 'L4:duplicate_other_partner', 'drop:form_submissions:f1',
     'The lead was protected for another partner.');
alter table marts.fct_attributions add column decided_by varchar default 'computed';
insert into marts.fct_attributions values
    ('lead_1', 'p2', 'first_touch', false, 1000000, timestamp '2026-01-08', null, 'computed');
create table marts.fct_attribution_discrepancies as select 'lead_1' as lead_id, 'p1' as partner_id,
    'pin' as held_by, 1000000 as credit_ppm, 0 as computed_credit_ppm,
    timestamp '2026-01-15' as decided_at;
create table marts.fct_lead_decisions (decision_key varchar, lead_id varchar, kind varchar,
    subject_key varchar, decision varchar, partner_id varchar, decided_at timestamp,
    decided_by varchar, expires_at timestamp, reason varchar, evidence varchar);
create table marts.fct_lead_stages as
    select 'lead_1' as lead_id, 'demo_booked' as stage, 'meeting' as source_type,
        'm1' as source_id, 2 as stage_rank, timestamp '2026-01-08 10:00:00' as reached_at,
        'drop' as source, 'sam' as owner, true as is_first
    union all
    select 'lead_1', 'first_payment', 'payment', 'pay1', 6, timestamp '2026-01-15', 'drop', 'sam',
        true
    union all
    select 'lead_1', 'first_payment', 'payment', 'pay2', 6, timestamp '2026-02-15', 'drop', 'sam',
        false;
create table marts.fct_lead_update_requests as select 'req_night' as request_id,
    'lead_2' as lead_id, null::varchar as subject_key, 'stale' as reason, 'owner' as asked_of,
    timestamp '2026-02-10' as asked_at, timestamp '2026-02-17' as due_at,
    null::timestamp as answered_at, 'overdue' as state, 4 as reminders_due,
    timestamp '2026-02-26' as last_reminder_at, 'sam' as owner;
create table marts.fct_missed_credits as select 'c9' as customer_id, 'USD' as currency_code,
    'p2' as partner_id, 'lead_3' as lead_id, 4000::bigint as amount_minor, 1 as paid_lines,
    date '2026-01-20' as first_paid_date, 'no_attribution' as reason,
    'promotion_code' as evidence_type, 'drop:invoices:i9' as evidence_key,
    timestamp '2026-01-19' as evidence_at, 'The code came after the valid event.' as why_not,
    'kim' as owner;
create table marts.fct_duplicate_leads as select 'dup_1' as duplicate_id,
    'other_partner_claim' as kind, 'lead_1' as lead_id, null::varchar as other_lead_id,
    'p2' as partner_id, 'p1' as other_partner_id, 'drop:deal_registrations:R1' as evidence,
    timestamp '2026-01-06' as found_at, 'sam' as owner;
create table marts.fct_risk_signals as
    select 'sig_1' as signal_id, 'fast_signup' as kind, 'high' as severity,
        'lead' as subject_type, 'lead_1' as subject_id, 'p1' as partner_id, 'lead_1' as lead_id,
        'signed up 3 s after the click' as evidence, timestamp '2026-01-05' as detected_at,
        null::varchar as hold_id, 'none' as hold_state, 'look at the visits' as what_to_do
    union all
    select 'sig_2', 'refund_pattern', 'low', 'partner', 'p2', 'p2', null,
        '20 % of the lines were refunded', timestamp '2026-02-01', null, 'none', 'ask the partner';
"""

# Typer builds all commands anew at each call, which takes longer than most of them run.
_command_of = cache(typer.main.get_command)


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def records(self):
        """Standard output as JSON."""
        return json.loads(self.out)


def run_process(
    *arguments: str, home: Path | None = None, cwd: Path = REPOSITORY, **variables: str
) -> Outcome:
    """The command line in a process of its own, without a terminal. variables: of its
    environment."""
    done = subprocess.run(
        [sys.executable, "-m", "orchestration.cli", *_with_home(arguments, home)],
        cwd=cwd,
        env=_environment(cwd, variables),
        capture_output=True,
        text=True,
        timeout=120,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def run_cli(
    *arguments: str, home: Path | None = None, cwd: Path = REPOSITORY, **variables: str
) -> Outcome:
    """As `run_process`, but in this process, which has loaded everything already.

    Each call has its own arguments, environment, folder and streams, and the root logger is as in
    a new process. That both end alike is shown in `test_cli`.
    """
    from orchestration.cli import main

    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    code: int | str | None = 0
    with pytest.MonkeyPatch.context() as patch, contextlib.chdir(cwd):
        for name in list(os.environ):
            patch.delenv(name)
        for name, value in _environment(cwd, variables).items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["partnerledger", *_with_home(arguments, home)])
        patch.setattr(typer.main, "get_command", _command_of)
        patch.setattr(logging.getLogger(), "handlers", [])
        for name, stream in (("stdin", io.StringIO()), ("stdout", out), ("stderr", err)):
            patch.setattr(sys, name, stream)
        try:
            main()
        except SystemExit as ended:
            code = ended.code
    return Outcome(int(code or 0), *(_text(stream) for stream in (out, err)))


def _with_home(arguments: Sequence[str], home: Path | None) -> list[str]:
    return [*arguments, *(("--home", str(home)) if home is not None else ())]


def _environment(cwd: Path, variables: Mapping[str, str]) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(REPOSITORY),
        "HOME": str(cwd),
        **variables,
    }


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode()


def write_home(home: Path, is_old: bool = False) -> Path:
    """A home with a control database, the snapshot and its pointer.

    is_old: the snapshot is one from before leads were decided on here.
    """
    return shutil.copytree(_written_home(is_old), home, dirs_exist_ok=True)


@cache
def _written_home(is_old: bool) -> Path:
    """Written once in a process and copied for each test."""
    folder = tempfile.TemporaryDirectory(prefix="partnerledger-home-")
    atexit.register(folder.cleanup)
    home = Path(folder.name)
    open_store(home).close()
    serving = home / "serving"
    serving.mkdir()
    snapshot = serving / f"{RUN_ID}.duckdb"
    with duckdb.connect(str(snapshot)) as connection:
        connection.execute(TABLES)
        if not is_old:
            connection.execute(LEAD_TABLES)
    pointer = {
        "path": snapshot.name, "run_id": RUN_ID, "as_of": "2026-02-28",
        "published_at": "2026-03-01T05:00:00", "sha256": "0", "terms_hash": "t",
        "journal_head": "j",
    }  # fmt: skip
    (serving / "current.json").write_text(json.dumps(pointer), encoding="utf-8")
    return home
