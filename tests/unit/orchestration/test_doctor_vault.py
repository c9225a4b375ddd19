"""What doctor says of the vault's key: asked for by rails with accounts, never by csv."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from orchestration.doctor import _environment, _terms, _vault
from payouts.vault_keys import KEY_VARIABLE

PROGRAM = """\
program: {id: acme, name: Acme, legal_entity: Acme Inc, timezone: UTC, reporting_currency: USD}
plans:
  - id: standard
    versions:
      - effective_from: 2025-01-01
        components: [{id: r, kind: recurring, rate: 0.20}]
        hold: {days: 30}
groups: {default: standard}
payouts: {rails: {USD: csv, EUR: RAIL}}
"""
KEY = base64.b64encode(bytes(32)).decode()


def _found(folder: Path, rail: str):
    (folder / "program.yml").write_text(PROGRAM.replace("RAIL", rail), encoding="utf-8")
    (folder / "sources.yml").write_text("sources: {drop: {kind: files}}\n", encoding="utf-8")
    workspace, problems = _terms(folder)
    assert workspace is not None, problems
    return list(_vault(workspace))


def test_csv_needs_no_key(tmp_path, monkeypatch):
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    assert _found(tmp_path, "csv") == []


@pytest.mark.parametrize(
    ("key", "status", "text"),
    [
        (None, "warn", "PARTNERLEDGER_VAULT_KEY is not set"),
        ("c2hvcnQ=", "warn", "is not 32 bytes in base64"),
        (KEY, "ok", "a key is set, for sepa"),
    ],
)
def test_a_rail_with_accounts_asks_for_the_key(tmp_path, monkeypatch, key, status, text):
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    if key is not None:
        monkeypatch.setenv(KEY_VARIABLE, key)
    (found,) = _found(tmp_path, "sepa")
    assert (found.status, found.check) == (status, "vault")
    assert text in found.detail
    assert (key or "no key") not in found.detail


@pytest.mark.parametrize("name", [KEY_VARIABLE, "PARTNERLEDGER_SCREENING_COMMAND"])
def test_settings_of_payouts_are_known(tmp_path, monkeypatch, name):
    monkeypatch.setenv(name, "x")
    assert [each.check for each in _environment(tmp_path)] == ["limits"]
