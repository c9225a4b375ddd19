"""Effective-dated tables, hashes by meaning, the default workspace and its templates."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from program import json_schema
from program.errors import WorkspaceExistsError
from program.load import Workspace, load_workspace
from program.tables import plan_version_hashes, terms_tables
from program.templates import write_workspace

AS_OF = date(2026, 1, 31)
DEFAULT_WORKSPACE = Path(json_schema.__file__).parent

RICH = """\
lead:
  - effective_from: 2026-01-01
    own_domains: [www.Acme.example, acme.example]
    self_referral_allowed: [p_9]
  - effective_from: 2025-01-01
    blocked_domains: [spam.example]
attribution:
  - {effective_from: 2025-01-01, model: first_touch, compare_models: [last_touch, first_touch]}
overrides:
  - {partner_id: p_1, plan: standard, effective_from: 2026-01-01}
  - {partner_id: p_1, plan: vip, effective_from: 2025-06-01}
payouts:
  minimum: {JPY: 5000, USD: 0.50}
  rails: {EUR: csv}
"""
VIP = """\
  - id: vip
    versions:
      - effective_from: 2026-01-01
        components: []
      - effective_from: 2025-01-01
        components:
          - {id: share, kind: event, trigger: deal_won, rate: 0.05}
          - {id: fixed, kind: event, trigger: signup, amount: {USD: 0.29, JPY: 7, BHD: 1.005}}
          - id: recurring
            kind: recurring
            rate: 0.1
            duration: {months: 0, basis: service_period}
            products: {include: [b, a], exclude: [c]}
        clawback:
          max_age_days: 30
          churn: {window_days: 60, mode: table, table: [{under_days: 30, share: 0.5}]}
groups:
"""


@pytest.fixture
def tables(
    load: Callable[..., Workspace], program_with: Callable[..., str]
) -> Callable[[str], list[dict[str, object]]]:
    """Rows of one table of a rich programme."""
    workspace = load(
        program_with(RICH, replace=("groups:\n", VIP)),
        "sources:\n  drop: {kind: files}\n  billing: {kind: stripe, fields: {code: metadata.c}}\n"
        "  demos: {kind: calendly, organization: https://api.calendly.com/organizations/o,"
        " fields: {code: ['url:ref', tracking.utm_content, 'field:Who: Ann, or Bo?']}}\n",
    )
    made = terms_tables(workspace, AS_OF, "run-1")
    return lambda name: made[f"program__{name}"].to_pylist()


Tables = Callable[[str], list[dict[str, object]]]


def test_run_row_carries_the_night_and_its_end_in_utc(tables: Tables) -> None:
    (run,) = tables("run")
    assert run["as_of"] == AS_OF
    assert run["as_of_end_at"] == datetime(2026, 2, 1, 5)
    assert run["next_pay_date"] == date(2026, 2, 16)
    assert (run["run_id"], run["programme_id"], run["legal_entity"]) == (
        "run-1",
        "acme",
        "Acme Inc",
    )
    assert len(str(run["terms_hash"])) == 64


def test_versions_become_half_open_spans_in_order_of_time(tables: Tables) -> None:
    spans = [
        (row["lead_version"], row["valid_from_date"], row["valid_to_date"])
        for row in tables("lead_versions")
    ]
    assert spans == [
        ("2025-01-01", date(2025, 1, 1), date(2026, 1, 1)),
        ("2026-01-01", date(2026, 1, 1), date(2200, 1, 1)),
    ]
    plans = [
        (row["plan_id"], row["plan_version"], row["valid_to_date"])
        for row in tables("plan_versions")
    ]
    assert plans == [
        ("standard", "2025-01-01", date(2200, 1, 1)),
        ("vip", "2025-01-01", date(2026, 1, 1)),
        ("vip", "2026-01-01", date(2200, 1, 1)),
    ]


def test_domains_are_bare_lower_case_and_once(tables: Tables) -> None:
    assert tables("lead_domains") == [
        {"lead_version": "2025-01-01", "list_name": "blocked", "domain": "spam.example"},
        {"lead_version": "2026-01-01", "list_name": "own", "domain": "acme.example"},
    ]
    assert tables("self_referral_allowed") == [{"lead_version": "2026-01-01", "partner_id": "p_9"}]


def test_attribution_models_name_the_paying_one_once(tables: Tables) -> None:
    assert [(row["model"], row["is_paying"]) for row in tables("attribution_models")] == [
        ("first_touch", True),
        ("last_touch", False),
    ]
    assert [row["priority_rank"] for row in tables("attribution_priority")] == [1, 2, 3, 4, 5, 6]
    (version,) = tables("attribution_versions")
    assert version["position_first_rate"] == Decimal("0.400000")


def test_components_keep_order_rates_and_durations(tables: Tables) -> None:
    rows = [row for row in tables("components") if row["plan_id"] == "vip"]
    assert [(row["component_id"], row["component_order"]) for row in rows] == [
        ("share", 1),
        ("fixed", 2),
        ("recurring", 3),
    ]
    share, fixed, recurring = rows
    assert (share["trigger"], share["rate"]) == ("deal_won", Decimal("0.050000"))
    assert (fixed["rate"], fixed["duration_months"], fixed["base_discounts"]) == (None, None, None)
    assert (recurring["duration_months"], recurring["duration_is_for_life"]) == (0, False)
    assert recurring["duration_basis"] == "service_period"
    (standard,) = [row for row in tables("components") if row["plan_id"] == "standard"]
    assert (standard["duration_months"], standard["duration_is_for_life"]) == (None, True)
    assert (standard["base_discounts"], standard["base_shipping"]) == ("reduce", "exclude")


def test_component_amounts_are_exact_minor_units(tables: Tables) -> None:
    amounts = {row["currency_code"]: row["amount_minor"] for row in tables("component_amounts")}
    assert amounts == {"USD": 29, "JPY": 7, "BHD": 1005}


def test_component_products_are_included_or_excluded(tables: Tables) -> None:
    assert [(row["product_id"], row["is_included"]) for row in tables("component_products")] == [
        ("a", True),
        ("b", True),
        ("c", False),
    ]


def test_plan_version_without_churn_says_none_and_with_it_has_its_table(tables: Tables) -> None:
    standard, vip, _ = tables("plan_versions")
    assert (standard["churn_mode"], standard["churn_window_days"]) == ("none", None)
    assert (standard["max_age_days"], vip["max_age_days"]) == (None, 30)
    assert (vip["churn_mode"], vip["churn_window_days"]) == ("table", 60)
    assert tables("churn_table") == [
        {
            "plan_id": "vip",
            "plan_version": "2025-01-01",
            "under_days": 30,
            "share": Decimal("0.500000"),
        }
    ]


def test_overrides_of_a_partner_follow_each_other(tables: Tables) -> None:
    assert [
        (row["plan_id"], row["valid_from_date"], row["valid_to_date"])
        for row in tables("overrides")
    ] == [
        ("vip", date(2025, 6, 1), date(2026, 1, 1)),
        ("standard", date(2026, 1, 1), date(2200, 1, 1)),
    ]


def test_rails_minimums_sources_and_groups_are_complete(tables: Tables) -> None:
    assert tables("rails") == [
        {"currency_code": "EUR", "rail": "csv"},
        {"currency_code": "default", "rail": "csv"},
    ]
    assert tables("payout_minimums") == [
        {"currency_code": "JPY", "amount_minor": 5000},
        {"currency_code": "USD", "amount_minor": 50},
    ]
    assert tables("sources") == [
        {"source": "drop", "kind": "files", "source_rank": 1, "is_held_when_ended": False},
        {"source": "billing", "kind": "stripe", "source_rank": 2, "is_held_when_ended": False},
        {"source": "demos", "kind": "calendly", "source_rank": 3, "is_held_when_ended": True},
    ]
    code = {"field_name": "code", "field_order": 1, "carrier": "path"}
    assert [row for row in tables("source_fields") if row["field_name"] == "code"] == [
        {"source": "billing", **code, "field_path": '$."metadata"."c"'},
        {"source": "demos", **code, "carrier": "url", "field_path": "ref"},
        {"source": "demos", **code, "field_order": 2, "field_path": '$."tracking"."utm_content"'},
        {
            "source": "demos",
            **code,
            "field_order": 3,
            "carrier": "field",
            "field_path": "Who: Ann, or Bo?",
        },
    ]
    assert tables("groups") == [{"partner_group": "default", "plan_id": "standard"}]


def test_pay_calendar_reaches_from_ten_years_before_to_three_after(tables: Tables) -> None:
    days = [row["pay_date"] for row in tables("pay_calendar")]
    assert days[0] == date(2016, 2, 15)
    assert days[-1] == date(2029, 1, 15)
    assert len(days) == 13 * 12


def test_tables_of_the_same_night_are_equal(load: Callable[..., Workspace]) -> None:
    assert terms_tables(load(), AS_OF, "r") == terms_tables(load(), AS_OF, "r")


REORDERED = """\
# a comment
program: {id: acme, name: Acme Partners, legal_entity: Acme Inc, timezone: America/New_York,
          reporting_currency: USD}
groups: {default: standard}
payouts: {schedule: {pay_day: 15}, offset_share: 1}
plans:
  - versions:
      - components: [{rate: 0.2, kind: recurring, id: recurring, duration: {basis: charge_start}}]
        effective_from: 2025-01-01
        hold: {days: 30}
    id: standard
"""


def test_hashes_ignore_layout_order_and_written_defaults(load: Callable[..., Workspace]) -> None:
    one, other = load(), load(REORDERED)
    assert one.terms_hash == other.terms_hash
    assert plan_version_hashes(one) == plan_version_hashes(other)


def test_terms_hash_changes_with_meaning_and_with_rank_of_sources(
    load: Callable[..., Workspace], program_with: Callable[..., str]
) -> None:
    hashes = {
        load().terms_hash,
        load(program_with(replace=("0.20", "0.200001"))).terms_hash,
        load(program_with("pilot: {partners: [p_1]}\n")).terms_hash,
        load(sources="sources: {a: {kind: files}, b: {kind: stripe}}\n").terms_hash,
        load(sources="sources: {b: {kind: stripe}, a: {kind: files}}\n").terms_hash,
    }
    assert len(hashes) == 5


def test_version_hashes_change_only_for_the_changed_version(
    load: Callable[..., Workspace], program_with: Callable[..., str]
) -> None:
    text = program_with(RICH, replace=("groups:\n", VIP))
    before = plan_version_hashes(load(text))
    after = plan_version_hashes(load(text.replace("max_age_days: 30", "max_age_days: 31")))
    assert set(before) == {
        ("plan", "standard", "2025-01-01"),
        ("plan", "vip", "2025-01-01"),
        ("plan", "vip", "2026-01-01"),
        ("lead", "lead", "2025-01-01"),
        ("lead", "lead", "2026-01-01"),
        ("attribution", "attribution", "2025-01-01"),
    }
    assert {key for key in before if before[key] != after[key]} == {("plan", "vip", "2025-01-01")}


def test_default_workspace_loads_with_three_groups_and_all_gates() -> None:
    program = load_workspace(DEFAULT_WORKSPACE).program
    assert set(program.groups) == {"default", "agency", "affiliate"}
    assert {plan.id for plan in program.plans} == {"standard", "agency", "affiliate"}
    assert len(program.payouts.gates) == 6
    assert program.roles.partnerships == ("ana@acme.example",)
    assert program.roles.finance == ("ben@acme.example", "cleo@acme.example")


def test_committed_json_schemas_are_those_of_the_models() -> None:
    for name, schema in json_schema.json_schemas().items():
        committed = (DEFAULT_WORKSPACE / name).read_text(encoding="utf-8")
        assert committed == json_schema.render(schema), f"{name} is stale: write_json_schemas()"


def test_written_workspace_loads_to_the_same_terms(tmp_path: Path) -> None:
    written = write_workspace(tmp_path / "new" / "place")
    assert sorted(path.name for path in written) == [
        "program.schema.json", "program.yml", "sources.schema.json", "sources.yml",
    ]  # fmt: skip
    assert list((tmp_path / "new" / "place" / "drop").iterdir()) == []
    workspace = load_workspace(tmp_path / "new" / "place")
    assert workspace.terms_hash == load_workspace(DEFAULT_WORKSPACE).terms_hash


def test_workspace_over_an_existing_file_is_refused_and_nothing_written(tmp_path: Path) -> None:
    (tmp_path / "sources.yml").write_text("mine", encoding="utf-8")
    with pytest.raises(WorkspaceExistsError, match="already holds sources.yml; nothing was"):
        write_workspace(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["sources.yml"]
    assert (tmp_path / "sources.yml").read_text(encoding="utf-8") == "mine"


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = "{'pydantic', 'pyarrow', 'yaml', 'pandas', 'duckdb', 'dagster', 'iso4217'}"
    code = f"import sys, program, program.calendar; print(sorted({heavy} & set(sys.modules)))"
    printed = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=DEFAULT_WORKSPACE.parent,
    )
    assert printed.stdout.strip() == "[]"
