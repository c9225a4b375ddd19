"""One asset per stream: what a failed stream stops, what it leaves alone, what is told of it."""

import json
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from ingest.run import declared_streams, read_report
from orchestration import landing
from orchestration.defs.assets import raw_assets
from orchestration.defs.resources import NightResource, lend_night, take_back_night
from orchestration.defs.streams import landing_assets
from orchestration.errors import StreamsFailedError
from orchestration.night import Night
from orchestration.streams import blocking_streams
from program.load import load_workspace
from tests.e2e.tiny import PROGRAM
from tests.fakes.stripe_server import FakeStripe, status

NOW = datetime(2026, 3, 1, 2, 0)
CUSTOMERS = "/v1/customers"
CHARGES = "/v1/charges"
BALANCE = "/v1/balance_transactions"
PARTNERS = "partner_id,name,email,status,payout_currency\np1,Ann,ann@p.example,active,USD\n"
MONEY = ("stripe__customers", "stripe__charges", "files__partners")
RAW = (*MONEY, "stripe__balance_transactions", "files__manual_commissions", "ingest__streams")


def manifest():
    """A dbt project in which the money reads MONEY and nothing else."""

    def source(name):
        return {"schema": "raw", "name": name, "resource_type": "source", "description": name}

    def model(name, parents):
        return {"resource_type": "model", "name": name, "depends_on": {"nodes": parents}}

    return {
        "sources": {f"source.{name}": source(name) for name in RAW},
        "nodes": {
            "model.stg": model("stg", [f"source.{name}" for name in MONEY]),
            "model.differences": model("int_journal__differences", ["model.stg"]),
            "model.candidates": model("exp_payout_candidates", []),
            "model.side": model("fct_fees", ["source.stripe__balance_transactions"]),
        },
    }


@dataclass
class World:
    """A workspace, its fake Stripe, and what the last run did."""

    root: Path
    fake: FakeStripe
    pauses: list[float] = field(default_factory=list)
    prepared: list[str] = field(default_factory=list)
    night: Night | None = None
    result: dg.ExecuteInProcessResult | None = None

    @property
    def home(self):
        return self.root / "var"

    @property
    def resources(self):
        return {"night": NightResource(workspace_path=str(self.root), home=str(self.home))}

    def write_sources(self, streams="[customers, charges, balance_transactions]", extra=""):
        (self.root / "sources.yml").write_text(
            "sources:\n"
            "  drop: {kind: files, path: drop}\n"
            f"  billing: {{kind: stripe, base_url: '{self.fake.base_url}',"
            f" api_key_env: TEST_STRIPE_KEY, streams: {streams}, changes: full_list,"
            " api_version: 2025-02-24.acacia, created_windows: false, timeout_seconds: 5"
            f"{extra}}}\n",
            encoding="utf-8",
        )

    def assets(self, workspace):
        declared = declared_streams(workspace)
        blocking = blocking_streams(manifest(), declared)
        return [*landing_assets(declared, blocking), raw_assets(manifest(), declared, blocking)]

    def graph(self):
        assets = self.assets(load_workspace(self.root))
        return dg.Definitions(assets, resources=self.resources).resolve_asset_graph()

    def run(self, now=NOW):
        """The landing assets and the raw tables, as the command line runs them."""
        self.pauses.clear()
        self.prepared.clear()
        night = Night.open(self.root, self.home, date(2026, 2, 28), lambda: now)
        night.landing.pause = self.pauses.append
        night.landing.know_manifest(manifest())
        # Preparing needs dbt's tables only to count them; here it is enough that it was reached.
        night.prepare = lambda: (night.landing.require_streams(), self.prepared.append("raw"))
        lend_night(night)
        try:
            self.night = night
            self.result = dg.materialize(
                self.assets(night.workspace),
                resources=self.resources,
                raise_on_error=False,
            )
            return night
        finally:
            take_back_night(night)
            night.close()

    def landed(self):
        """Metadata of what was materialised, by source/stream."""
        return {
            "/".join(each.asset_key.path[1:]): each.step_materialization_data.materialization
            for each in self.result.get_asset_materialization_events()
            if each.asset_key.path[0] == "landing"
        }

    def metadata(self, stream):
        return {name: each.value for name, each in self.landed()[stream].metadata.items()}

    def failures(self):
        return {
            each.step_key: each.step_failure_data.user_failure_data
            for each in self.result.all_events
            if each.is_step_failure
        }

    def retried(self):
        return [each.step_key for each in self.result.all_events if each.is_step_up_for_retry]


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setenv("TEST_STRIPE_KEY", "rk_test_1")
    monkeypatch.setattr("orchestration.defs.assets.table_metadata", lambda night, schemas: {})
    (tmp_path / "program.yml").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "partners.csv").write_text(PARTNERS, encoding="utf-8")
    objects = {
        CUSTOMERS: [{"id": "cus_2", "created": 2}, {"id": "cus_1", "created": 1}],
        CHARGES: [{"id": "ch_1", "created": 1}],
        BALANCE: [{"id": "txn_1", "created": 1}],
    }
    with FakeStripe(objects=objects) as fake:
        found = World(tmp_path, fake)
        found.write_sources()
        yield found


def parents(graph, name):
    return {key.to_user_string() for key in graph.get(dg.AssetKey(name.split("/"))).parent_keys}


def test_every_stream_is_an_asset_and_raw_tables_wait_for_those_the_money_needs(world):
    graph = world.graph()
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    streams = {"landing/billing/customers", "landing/billing/charges", "landing/drop/partners"}
    assert streams | {"landing/billing/balance_transactions"} <= keys
    assert parents(graph, "raw/stripe__customers") == {"landing/billing/customers"}
    assert parents(graph, "raw/stripe__balance_transactions") == set()
    assert graph.get(dg.AssetKey(["raw", "stripe__balance_transactions"])).metadata[
        "filled_by"
    ] == ["landing/billing/balance_transactions"]
    assert streams <= parents(graph, "raw/ingest__streams")
    assert "landing/billing/balance_transactions" not in parents(graph, "raw/ingest__streams")
    for key in keys - {f"raw/{name}" for name in RAW}:
        node = graph.get(dg.AssetKey(key.split("/")))
        assert (node.group_name, bool(node.owners), bool(node.description)) == (
            "ingest", True, True,
        )  # fmt: skip


def test_each_stream_is_late_after_the_hours_of_its_source_and_a_drop_folder_never(world):
    world.write_sources(extra=", freshness_hours: 30")
    graph = world.graph()
    policy = graph.get(dg.AssetKey(["landing", "billing", "charges"])).freshness_policy
    assert policy == dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=30))
    assert graph.get(dg.AssetKey(["landing", "drop", "partners"])).freshness_policy is None


def test_a_stream_that_follows_another_waits_for_it(world):
    world.write_sources(streams="[events, customers, charges]")
    text = (world.root / "sources.yml").read_text(encoding="utf-8")
    (world.root / "sources.yml").write_text(text.replace("full_list", "events"), encoding="utf-8")
    assert parents(world.graph(), "landing/billing/customers") == {"landing/billing/events"}


def test_metadata_tells_rows_cursor_lag_and_requests(world):
    world.run()
    assert world.result.success
    first = world.metadata("billing/customers")
    assert first["dagster/row_count"] == 2
    assert (first["status"], first["mode"], first["requests"], first["retries"]) == (
        "ok", "full", 1, 0,
    )  # fmt: skip
    assert isinstance(first["cursor"], dict)
    assert first["lag_hours"] == 0
    assert world.metadata("drop/partners")["dagster/row_count"] == 1
    # No file, but the folder was looked at.
    assert world.metadata("drop/invoices")["lag_hours"] == "none"

    world.run(NOW + timedelta(hours=36))
    again = world.metadata("billing/customers")
    assert (again["status"], again["dagster/row_count"]) == ("unchanged", 0)
    assert again["lag_hours"] == pytest.approx(36, abs=0.01)


def test_a_stream_that_fails_for_a_while_is_tried_once_more_and_lands(world):
    world.fake.script[CUSTOMERS] = [status(503) for _ in range(5)]
    world.run()
    assert world.result.success
    assert world.retried() == ["landing__billing__customers"]
    assert landing.RETRY_SECONDS in world.pauses
    assert world.metadata("billing/customers")["dagster/row_count"] == 2
    assert world.prepared == ["raw"]


def test_a_refused_key_is_not_tried_again(world):
    world.fake.script[CUSTOMERS] = [status(401) for _ in range(9)]
    night = world.run()
    assert world.retried() == []
    assert world.fake.paths().count(CUSTOMERS) == 1
    (failure,) = world.failures().values()
    assert "TEST_STRIPE_KEY" in failure.metadata["what_to_do"].value
    assert failure.metadata["is_transient"].value is False
    assert "status 401" in failure.description
    with pytest.raises(StreamsFailedError, match="billing, stream customers"):
        night.landing.require_streams()


def test_a_stream_the_money_needs_stops_the_raw_tables_and_no_other_stream(world):
    world.fake.script[CUSTOMERS] = [status(403)]
    world.fake.script[BALANCE] = [status(403)]
    night = world.run()
    assert set(world.failures()) == {
        "landing__billing__customers", "landing__billing__balance_transactions",
    }  # fmt: skip
    assert {"billing/charges", "drop/partners"} <= set(world.landed())
    assert world.prepared == []
    with pytest.raises(StreamsFailedError) as caught:
        night.landing.require_streams()
    message = str(caught.value)
    assert message.startswith("Source billing, stream customers")
    assert "Also failed: billing/balance_transactions" in message
    assert "nothing was posted" in message


def test_a_stream_no_money_needs_fails_visibly_and_the_night_goes_on(world):
    world.run()
    world.fake.script[BALANCE] = [status(403)]
    night = world.run()
    assert not world.result.success
    assert set(world.failures()) == {"landing__billing__balance_transactions"}
    assert world.prepared == ["raw"]
    night.landing.require_streams()
    (stale,) = night.landing.failed()
    assert (stale.stream, stale.last_arrival is not None) == ("balance_transactions", True)
    assert "read permission" in stale.what_to_do


def test_raw_tables_are_loaded_after_the_retry_of_a_stream_no_money_needs(world):
    world.fake.script[BALANCE] = [status(503) for _ in range(5)]
    world.run()
    order = [each.step_key for each in world.result.all_events if each.is_step_success]
    assert order.index("landing__billing__balance_transactions") < order.index("raw_tables")
    assert world.retried() == ["landing__billing__balance_transactions"]


def test_streams_that_need_a_failed_one_are_left_out_and_say_so(world):
    world.write_sources(streams="[events, customers, charges]")
    text = (world.root / "sources.yml").read_text(encoding="utf-8")
    (world.root / "sources.yml").write_text(text.replace("full_list", "events"), encoding="utf-8")
    world.fake.script["/v1/events"] = [status(403)]
    night = world.run()
    assert world.fake.paths() == ["/v1/events"]
    failed = {each.stream: each for each in night.landing.failed()}
    assert set(failed) == {"events", "customers", "charges"}
    assert failed["charges"].message == "charges was not pulled, because events failed"
    told = {each["stream"]: each["status"] for each in read_report(world.home)}
    assert told["charges"] == "failed"
    with pytest.raises(StreamsFailedError, match="stream events"):
        night.landing.require_streams()


def test_a_refused_file_fails_the_folder_and_its_other_files_land(world):
    (world.root / "drop" / "products.csv").write_text("product_id,name\nprod_1,Team\n", "utf-8")
    (world.root / "drop" / "partners.csv").write_text("name\nAnn\n", encoding="utf-8")
    night = world.run()
    assert set(world.failures()) == {"landing__drop"}
    assert world.metadata("drop/products")["dagster/row_count"] == 1
    assert "drop/partners" not in world.landed()
    assert world.prepared == []
    assert [each.stream for each in night.landing.failed()] == ["partners"]


def test_a_file_of_an_entity_no_money_needs_is_told_and_stops_nothing(world):
    (world.root / "drop" / "manual_commissions.xlsx").write_bytes(b"PK")
    night = world.run()
    assert world.result.success
    assert world.prepared == ["raw"]
    assert "drop/manual_commissions" not in world.landed()
    (observed,) = [each for each in world.result.all_events if each.is_asset_observation]
    observation = observed.asset_observation_data.asset_observation
    assert observation.asset_key.path[-1] == "manual_commissions"
    assert "Save it as CSV" in observation.metadata["what_to_do"].value
    assert [each.stream for each in night.landing.failed()] == ["manual_commissions"]


def test_a_file_that_fits_no_entity_stops_the_night(world):
    (world.root / "drop" / "invocies.csv").write_text("a\n1\n", encoding="utf-8")
    night = world.run()
    assert world.prepared == []
    with pytest.raises(StreamsFailedError, match=r"invocies\.csv.*did you mean invoices"):
        night.landing.require_streams()


def test_a_folder_that_cannot_be_read_stops_the_night_and_makes_no_asset(world):
    (world.root / "drop" / "partners.csv").unlink()
    (world.root / "drop").rmdir()
    night = world.run()
    assert [name for name in world.landed() if name.startswith("drop/")] == []
    assert "billing/customers" in world.landed()
    with pytest.raises(StreamsFailedError, match="cannot be read"):
        night.landing.require_streams()


def test_a_dead_server_costs_two_minutes_at_most(world):
    world.write_sources(
        streams="[customers, subscriptions, products, prices, coupons, promotion_codes, invoices,"
        " charges, refunds, disputes, credit_notes, balance_transactions]"
    )
    world.fake._server.shutdown()
    world.fake._server.server_close()
    night = world.run()
    assert len(night.landing.failed()) == 12
    assert len(world.retried()) == 1
    # Backing off and the one wait; each of the requests may also wait ten seconds to connect.
    tries = 5 + 2 + 2
    assert sum(world.pauses) + tries * 10 < 130
    assert "out of reach: see customers and subscriptions" in night.landing.failed()[-1].message
    world.fake.__enter__()


def test_a_server_that_only_fails_is_not_retried_stream_by_stream(world):
    for path in (CUSTOMERS, CHARGES, BALANCE):
        world.fake.script[path] = [status(500) for _ in range(20)]
    world.run()
    asked = world.fake.paths()
    assert (asked.count(CUSTOMERS), asked.count(CHARGES), asked.count(BALANCE)) == (7, 2, 2)
    assert world.retried() == ["landing__billing__customers"]


def test_a_landing_that_another_process_holds_is_tried_again_and_then_named(world):
    from ingest.landing import LandingStore

    (world.home).mkdir(exist_ok=True)
    with LandingStore(world.home):
        night = world.run()
    assert set(world.retried()) >= {"landing__billing__customers", "landing__drop"}
    with pytest.raises(StreamsFailedError, match="another run is landing"):
        night.landing.require_streams()


def test_report_keeps_when_a_failed_stream_was_last_read(world):
    world.run()
    world.fake.script[CHARGES] = [status(403)]
    world.run(NOW + timedelta(days=1))
    told = {each["stream"]: each for each in read_report(world.home)}
    assert datetime.fromisoformat(told["charges"]["pulled_at"]) == NOW
    assert datetime.fromisoformat(told["customers"]["pulled_at"]) == NOW + timedelta(days=1)
    assert json.loads(told["customers"]["cursor"]) is not None
