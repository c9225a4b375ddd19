"""Which streams the money depends on, worked out on small manifests and on the project's own."""

import pytest

from ingest.run import DeclaredStream
from orchestration.streams import blocking_streams, money_relations, not_pulled


def stream(name, needs=(), relations=None, source="billing"):
    filled = relations if relations is not None else (f"stripe__{name}",)
    return DeclaredStream(source, "stripe", name, tuple(needs), tuple(filled), 36)


def model(name, parents):
    return {"resource_type": "model", "name": name, "depends_on": {"nodes": parents}}


@pytest.fixture
def manifest():
    names = ("stripe__charges", "stripe__refunds", "stripe__balance_transactions")
    return {
        "sources": {f"source.{name}": {"name": name} for name in names},
        "nodes": {
            "model.stg_charges": model("stg_charges", ["source.stripe__charges"]),
            "model.int_charges": model("int_charges", ["model.stg_charges"]),
            "model.d": model("int_journal__differences", ["model.int_charges"]),
            "model.c": model("exp_payout_candidates", ["source.stripe__refunds"]),
            "model.fees": model("fct_fees", ["source.stripe__balance_transactions", "model.d"]),
        },
    }


def test_what_reaches_posting_or_proposing_is_money(manifest):
    assert money_relations(manifest) == {"stripe__charges", "stripe__refunds"}


def test_streams_that_fill_money_relations_block_and_others_do_not(manifest):
    declared = [stream("charges"), stream("balance_transactions"), stream("refunds")]
    assert blocking_streams(manifest, declared) == {("billing", "charges"), ("billing", "refunds")}


def test_a_stream_blocks_when_one_that_blocks_follows_it_however_far(manifest):
    declared = [
        stream("events", relations=()),
        stream("ids", needs=["events"], relations=()),
        stream("charges", needs=["ids"]),
        stream("balance_transactions", needs=["events"]),
    ]
    names = {name for _, name in blocking_streams(manifest, declared)}
    assert names == {"events", "ids", "charges"}


def test_every_stream_blocks_when_the_manifest_lacks_a_money_model(manifest):
    del manifest["nodes"]["model.c"]
    declared = [stream("charges"), stream("balance_transactions")]
    assert len(blocking_streams(manifest, declared)) == 2


def test_streams_that_follow_a_failed_one_were_not_pulled_however_far():
    declared = [
        stream("events"),
        stream("customers", needs=["events"]),
        stream("notes", needs=["customers"]),
        stream("charges"),
        stream("customers", needs=["events"], source="other"),
    ]
    failed = [("billing", "events")]
    left_out = not_pulled(declared, failed, [*failed, ("billing", "charges")])
    assert left_out == {
        ("billing", "customers"): ("billing", "events"),
        ("billing", "notes"): ("billing", "customers"),
    }


def test_a_stream_that_was_pulled_after_all_is_not_left_out():
    declared = [stream("events"), stream("customers", needs=["events"])]
    failed = [("billing", "events")]
    assert not_pulled(declared, failed, [*failed, ("billing", "customers")]) == {}
