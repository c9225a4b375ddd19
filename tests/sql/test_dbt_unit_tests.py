"""Every rule model has native dbt unit tests, and all of them pass.

The tests stand beside the models (`_<topic>__unit_tests.yml`), one per rule with its branches as
rows. They run once here, against an empty warehouse that gives dbt the columns of every relation.
"""

from __future__ import annotations

from datetime import date

import pytest

from orchestration.dbt_runner import PROJECT_DIR, shared_runner
from orchestration.night import Night
from orchestration.phases import LEDGER, PAYOUTS
from orchestration.warehouse import WAREHOUSE_VARIABLE, working_file
from tests.compiled import build_facts
from tests.workspaces import NOW, write_workspace

pytestmark = pytest.mark.sql

PROGRAM = """\
program: {id: t, name: T, legal_entity: T Inc, timezone: UTC, reporting_currency: USD}
plans:
  - id: standard
    versions:
      - effective_from: 2025-01-01
        components: [{id: recurring, kind: recurring, rate: 0.20}]
groups: {default: standard}
payouts: {rails: {default: csv}}
"""
# Models without a rule of their own, each with the reason.
WITHOUT_RULE = {
    "int_attribution__versions": "a view of the terms for readers of the intermediate schema",
    "int_identity__components": "Python: tests/unit/identity",
    "int_journal__entries": "a view of what is posted",
    "int_journal__segments": "a view of what is registered",
    "int_payouts__batch_exceptions": "a view of the control database",
    "int_payouts__batches": "a view of the control database",
    "int_payouts__claims": "a join of two control tables, shown by int_payouts__entry_states",
    "int_payouts__exceptions": "messages: what to do about what the other models found",
    "int_received__fx_rates": "a union of the sources",
    "int_received__subscriptions": "a union of the sources",
    "int_sources__form_submissions": "newest version, as in int_sources__subscriptions",
    "int_sources__partners": "newest version, as in int_sources__subscriptions",
    "int_sources__product_events": "newest version, as in int_sources__subscriptions",
    "int_sources__products": "newest version, as in int_sources__subscriptions",
    "int_sources__touchpoints": "newest version, as in int_sources__subscriptions",
    "int_terms__run": "a view of the night",
}


@pytest.fixture(scope="module")
def manifest() -> dict:
    """The parsed project, unit tests included."""
    parsed = shared_runner().manifest(refresh=True)
    return parsed.writable_manifest().to_dict(omit_none=False)


@pytest.fixture(scope="module")
def empty_home(tmp_path_factory):
    """A home whose working file has every staging and intermediate relation, without rows."""
    root = tmp_path_factory.mktemp("unit")
    workspace, home = write_workspace(root / "workspace", PROGRAM, {}), root / "var"
    night = Night.open(workspace, home, date(2026, 3, 31), clock=lambda: NOW)
    try:
        night.ingest()
        night.prepare()
    finally:
        night.close()
    # Those of the later phases too, without posting or proposing anything.
    build_facts(home)
    later = [f"path:models/intermediate,tag:{phase}" for phase in (LEDGER, PAYOUTS)]
    results = shared_runner().build(later, home)
    assert len(results) > 5
    assert [result.name for result in results if result.status != "ok"] == []
    return home


def test_rule_models_each_have_a_unit_test(manifest) -> None:
    models = {
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["name"].startswith("int_")
    }
    tested = {test["model"] for test in manifest["unit_tests"].values()}
    staging = {test for test in tested if test.startswith("stg_")}
    assert models - tested == set(WITHOUT_RULE)
    assert tested - staging <= models


def test_unit_tests_name_the_rule_that_they_prove(manifest) -> None:
    nameless = [
        test["name"]
        for test in manifest["unit_tests"].values()
        if not (test["description"] or "").strip()[:1].isalpha() or test["name"].count("_") < 4
    ]
    assert nameless == []


def test_dbt_unit_tests_all_pass(empty_home, manifest, monkeypatch) -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    monkeypatch.setenv(WAREHOUSE_VARIABLE, str(working_file(empty_home).resolve()))
    arguments = ["--no-print", "--log-level", "none", "--log-path", f"{empty_home}/logs", "test"]
    for option, value in (
        ("--project-dir", PROJECT_DIR),
        ("--profiles-dir", PROJECT_DIR),
        ("--target-path", empty_home / "warehouse" / "dbt"),
        ("--select", "test_type:unit"),
    ):
        arguments += [option, str(value)]
    try:
        outcome = dbtRunner(manifest=shared_runner().manifest()).invoke(arguments)
    finally:
        DuckDBConnectionManager.close_all_connections()
    assert outcome.exception is None
    failed = {
        result.node.name: result.message
        for result in outcome.result.results
        if result.status != "pass"
    }
    assert failed == {}
    assert len(outcome.result.results) == len(manifest["unit_tests"])
