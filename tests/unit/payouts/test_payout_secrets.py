"""I24 for the whole room: after whole lives, accounts and holders are in payout files alone.

Everything else under the home is searched as people and programs read it: the control database with
its write-ahead log, journal and claims as rows, manifests, evidence packs, the vault as bytes, the
control tables of the warehouse. So is every error that wrong details lead to.
"""

from __future__ import annotations

import base64
import hashlib
import json
import traceback
import zipfile
from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from io import BytesIO
from pathlib import Path

import duckdb
import pytest
from life_world import FIRST_DAY, KEY, PAYEES, PAYERS, RAILS, Life
from pack_world import packed
from payout_world import CLOCK, NIGHT
from sqlalchemy import select

from payouts.details import Details, details_from_json, to_json
from payouts.errors import PayoutsError
from payouts.payee_details import partner_owner
from payouts.schema import export_files
from payouts.selection import RAILS_WITH_DETAILS
from payouts.vault import open_vault
from tests.unit.payouts.settlement.bank_files import status_csv

# What names an account or a person. A routing number names a bank, an entity type nobody.
_SECRET_FIELDS = ("holder_name", "iban", "account_number", "recipient", "recipient_id",
                  "recipient_email")  # fmt: skip
WRONG_KEY = base64.b64encode(hashlib.sha256(b"another key").digest()).decode()


def _secrets(rail: str) -> list[str]:
    """Lower-case texts that may stand nowhere; also what banks say, whatever the rail."""
    found = {"erika mustermann", "jane doe", "jane@partner.example", "12345678901234567"}
    for details in (*PAYEES.get(rail, ()), *([PAYERS[rail]] if rail in PAYERS else ())):
        for name in (field.name for field in fields(details)):
            value = str(getattr(details, name)).lower()
            if name in _SECRET_FIELDS and value:
                found.add(value)
            if name == "iban":
                found |= {value[4:], " ".join(value[at : at + 4] for at in range(0, len(value), 4))}
            if name == "account_number":
                found.add(details.routing_number + value)
    found.add("de89370400440532013000")
    return sorted(found)


def _texts(home: Path, payable: set[Path]) -> Iterator[tuple[str, str]]:
    """(where, text in lower case) of everything under a home except the payout files."""
    for path in sorted(home.rglob("*")):
        if not path.is_file() or path in payable:
            continue
        content = path.read_bytes()
        yield path.name, content.decode("latin-1").lower()
        if path.suffix == ".parquet":
            with duckdb.connect() as reader:
                yield path.name, str(reader.execute(f"from '{path}'").fetchall()).lower()


def _packs(life: Life) -> Iterator[tuple[str, str]]:
    for batch in life.batches:
        content = packed(life.world, batch)
        with zipfile.ZipFile(BytesIO(content)) as members:
            for name in members.namelist():
                if not name.endswith(".parquet"):
                    yield f"pack/{name}", members.read(name).decode("latin-1").lower()


def _warehouse(life: Life) -> Iterator[tuple[str, str]]:
    life.world.refresh()
    tables = life.world.warehouse.execute(
        "select table_name from information_schema.tables where table_schema = 'raw'"
    ).fetchall()
    for (table,) in tables:
        rows = life.world.warehouse.execute(f'from raw."{table}"').fetchall()
        yield f"raw.{table}", str(rows).lower()


@pytest.mark.parametrize("rail", RAILS)
def test_accounts_and_holders_are_in_payout_files_alone(tmp_path, monkeypatch, rail):
    monkeypatch.setenv("PARTNERLEDGER_VAULT_KEY", KEY)
    life = Life.begin(tmp_path / "home", rail)
    life.live()
    with life.world.store.read() as connection:
        paths = connection.execute(select(export_files.c.file_path)).scalars().all()
    payable = {life.world.home / path for path in paths}
    secrets = _secrets(rail)
    texts = [*_texts(life.world.home, payable), *_packs(life), *_warehouse(life)]
    found = [(where, secret) for where, text in texts for secret in secrets if secret in text]
    assert found == []
    # The search is sharp: the same texts are found where they must be.
    written = "".join(path.read_text(encoding="utf-8").lower() for path in payable)
    if rail != "csv":
        assert sum(secret in written for secret in secrets) >= 2
    names = {where for where, _ in texts}
    assert {"control.sqlite", "control.sqlite-wal", "manifest.json", "claims.parquet"} <= names
    assert {"pack/approvals.json", "pack/settlement.json", "raw.control__payees"} <= names
    assert rail == "csv" or "vault.sqlite" in names


def _wrong(details: Details) -> Details:
    """The same with an account that does not exist."""
    values = {field.name: getattr(details, field.name) for field in fields(details)}
    changed = {
        "iban": lambda text: text[:2] + "00" + text[4:],
        "account_number": lambda text: text + "-123456789",
        "recipient": lambda text: text.replace("@", "@@"),
        "recipient_id": lambda text: text + "!",
    }
    for name in changed.keys() & values.keys():
        values[name] = changed[name](values[name])
    return type(details)(**values)


def _said(error: BaseException) -> str:
    """All that an error shows: text, form, notes, causes, and the traceback's own lines."""
    lines = traceback.format_exception(error)
    return f"{error} {error!r} {''.join(lines)} {error.args}".lower()


@pytest.mark.parametrize("rail", RAILS_WITH_DETAILS)
def test_no_error_about_details_repeats_them(tmp_path, rail):
    life = Life.begin(tmp_path / "home", rail)
    right = PAYEES[rail][2]
    wrong = _wrong(right)
    text = to_json(right)
    record = json.loads(text)
    record["fields"]["surprise"] = record["fields"]["holder_name"]
    (batch,) = life.world.propose(rules=life.rules)
    life.world.approve_fully(batch)
    export = {"as_of": NIGHT, "rules": life.rules, "execution_date": FIRST_DAY}
    account = right.account()
    attempts = [
        lambda: life.put(partner_owner("p_2"), wrong, CLOCK),
        lambda: life.put(partner_owner("p_2"), PAYEES[rail][1], CLOCK),
        lambda: life.vault.put("payer:" + rail, rail, right, CLOCK),
        lambda: details_from_json(rail, text[:-1]),
        lambda: details_from_json(rail, json.dumps(record)),
        lambda: details_from_json("csv", text),
        lambda: life.world.export(batch, vault=None, **export),
        lambda: life.world.export(batch, vault=open_vault(life.world.home, WRONG_KEY), **export),
        lambda: life.world.export(
            batch, vault=life.vault, today=date(2026, 3, 23),
            **{**export, "as_of": date(2026, 3, 22), "execution_date": date(2026, 3, 22)},
        ),
        lambda: life.read(
            status_csv((account, "gone", account, account, account, account, "")), "bank.csv"
        ),
        lambda: life.read(f"payout_id;{account}\n{right.holder_name}".encode(), "bank.csv"),
    ]  # fmt: skip
    secrets = [*_secrets(rail), str(getattr(wrong, "iban", right.account())).lower()]
    refused = 0
    for attempt in attempts:
        try:
            attempt()
        except PayoutsError as error:
            refused += 1
            said = _said(error)
            assert [secret for secret in secrets if secret in said] == []
    assert refused >= 9
    assert not [secret for secret in secrets if secret in f"{right!r}{right}{wrong!r}".lower()]
