"""The asset graph: the expected keys are there, documented and owned, in the order of a night."""

from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.e2e

REPOSITORY = Path(__file__).resolve().parents[2]
STEP_KEYS = {
    "landing/drop/partners",
    "landing/drop/invoices",
    "journal_posted",
    "payout_batches_proposed",
    "serving_snapshot",
    "notices",
    "payout_batch_export",
}
# The tables of interfaces.md that every published snapshot holds.
MARTS = {
    "dim_partners",
    "dim_terms",
    "dim_lead_aliases",
    "fct_lead_submissions",
    "fct_lead_decisions",
    "fct_lead_stages",
    "fct_lead_update_requests",
    "fct_missed_credits",
    "fct_duplicate_leads",
    "fct_risk_signals",
    "fct_leads",
    "fct_touchpoints",
    "fct_attribution_candidates",
    "fct_attributions",
    "fct_attribution_comparison",
    "fct_attribution_discrepancies",
    "fct_commission_lines",
    "fct_commission_entries",
    "fct_journal_lines",
    "fct_partner_balances",
    "fct_payout_batches",
    "fct_payout_items",
    "fct_batch_exceptions",
    "fct_commission_disputes",
    "fct_partner_daily",
    "fct_partner_periods",
    "fct_partner_revenue_daily",
    "fct_lead_journeys",
    "fct_lead_daily",
    "fct_commission_liability",
    "fct_payout_forecast",
    "fct_exceptions",
    "fct_unpaid_lines",
    "mart_metadata",
}
EXPORTS = {"exp_payout_candidates"}


@pytest.fixture(scope="module")
def definitions(tmp_path_factory):
    from orchestration.defs.build import build_definitions, current_manifest

    home = tmp_path_factory.mktemp("assets") / "var"
    return build_definitions(REPOSITORY / "program", home, current_manifest())


@pytest.fixture(scope="module")
def graph(definitions):
    return definitions.resolve_asset_graph()


def keys_by_prefix(graph):
    found = {}
    for key in graph.get_all_asset_keys():
        prefix = key.path[0] if len(key.path) > 1 else ""
        found.setdefault(prefix, set()).add(key.path[-1])
    return found


def test_steps_marts_and_exports_are_assets(graph):
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert keys >= STEP_KEYS
    assert {f"marts/{name}" for name in MARTS} <= keys
    assert {f"exports/{name}" for name in EXPORTS} <= keys
    assert set(keys_by_prefix(graph)) - {"codes"} == {
        "",
        "landing",
        "raw",
        "staging",
        "intermediate",
        "marts",
        "exports",
    }


def test_every_asset_can_be_materialised_and_has_group_and_owner(graph):
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.is_materializable, key
        assert node.group_name != "default", key
        assert node.owners, key


def test_every_step_mart_and_export_is_described(graph):
    undocumented = [
        key.to_user_string()
        for key in graph.get_all_asset_keys()
        if key.path[0] not in {"raw"} and not graph.get(key).description
    ]
    assert undocumented == []


def test_night_goes_from_source_to_snapshot_in_order(graph):
    import dagster as dg

    def upstream(name):
        wanted = dg.AssetKey(name.split("/"))
        seen, left = set(), [wanted]
        while left:
            for parent in graph.get(left.pop()).parent_keys:
                if parent not in seen:
                    seen.add(parent)
                    left.append(parent)
        return {key.to_user_string() for key in seen}

    landed = {"landing/drop/partners", "landing/drop/invoices"}
    assert landed <= upstream("intermediate/int_journal__differences")
    assert "intermediate/int_journal__differences" in upstream("journal_posted")
    assert "journal_posted" in upstream("marts/fct_commission_entries")
    assert "marts/fct_commission_entries" in upstream("payout_batches_proposed")
    assert "payout_batches_proposed" in upstream("marts/fct_payout_batches")
    assert {f"marts/{name}" for name in MARTS} <= upstream("serving_snapshot")


def test_money_models_of_the_project_are_found_and_every_source_of_money_is_known():
    from orchestration.defs.build import current_manifest
    from orchestration.streams import money_relations

    money = money_relations(current_manifest())
    assert {
        "files__partners", "files__invoices", "stripe__customers", "stripe__charges",
        "stripe__refunds", "journal__entries", "program__components",
    } <= money  # fmt: skip
    assert not {"ingest__streams", "stripe__balance_transactions"} & money


def test_dbt_tests_and_suites_are_asset_checks(graph):
    names = {key.name for key in graph.asset_check_keys}
    assert any(name.startswith("gx_") for name in names)
    assert any(name.startswith("reconcile__") for name in names)
    assert any(not name.startswith(("gx_", "reconcile__")) for name in names)


def test_every_data_test_is_shown_on_an_asset(graph):
    from orchestration import phases
    from orchestration.defs.build import current_manifest

    manifest = current_manifest()
    names = {key.name for key in graph.asset_check_keys}
    tests = [
        node["name"]
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] == "test" and phases.checked_node(manifest, unique_id)
    ]
    assert sorted(set(tests) - names) == []


def test_job_schedule_sensor_and_pool_are_there(definitions, graph):
    repository = definitions.get_repository_def()
    assert {"nightly", "payout_export"} <= set(repository.job_names)
    schedule = repository.get_schedule_def("nightly")
    assert schedule.cron_schedule == "0 2 * * *"
    assert schedule.execution_timezone == "America/New_York"
    assert [sensor.name for sensor in repository.sensor_defs] == ["approved_batches"]
    writers = ["raw", "staging", "intermediate", "marts", "exports"]
    for key in graph.get_all_asset_keys():
        if key.path[0] in writers:
            assert graph.get(key).pools == {"warehouse_writer"}, key


def test_schedule_takes_the_day_that_has_just_ended(definitions):
    from datetime import datetime
    from zoneinfo import ZoneInfo

    import dagster as dg

    schedule = definitions.get_repository_def().get_schedule_def("nightly")
    tick = datetime(2026, 3, 1, 2, 0, tzinfo=ZoneInfo("America/New_York"))
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(instance, scheduled_execution_time=tick)
        (request,) = schedule.evaluate_tick(context).run_requests
    assert request.run_config["resources"]["night"]["config"]["as_of"] == "2026-02-28"


def test_sensor_of_a_fresh_home_skips_and_creates_nothing(definitions):
    import dagster as dg

    sensor = definitions.get_repository_def().get_sensor_def("approved_batches")
    with dg.DagsterInstance.ephemeral() as instance:
        tick = sensor.evaluate_tick(dg.build_sensor_context(instance))
    assert tick.run_requests == []
    assert "No batch" in tick.skip_message


def test_telemetry_is_off_in_every_library():
    instance = yaml.safe_load((REPOSITORY / "dagster.yaml").read_text(encoding="utf-8"))
    assert instance["telemetry"] == {"enabled": False}
    assert instance["run_retries"]["retry_on_asset_or_op_failure"] is False
    assert instance["concurrency"]["pools"]["default_limit"] == 1
    project = yaml.safe_load((REPOSITORY / "dbt_project/dbt_project.yml").read_text("utf-8"))
    assert project["flags"]["send_anonymous_usage_stats"] is False
    from orchestration.gx import _ANALYTICS_VARIABLE

    assert _ANALYTICS_VARIABLE == "GX_ANALYTICS_ENABLED"


def test_every_section_of_the_instance_is_commented():
    text = (REPOSITORY / "dagster.yaml").read_text(encoding="utf-8")
    sections = [section for section in text.split("\n\n") if section.strip()]
    assert [section for section in sections if "#" not in section] == []
