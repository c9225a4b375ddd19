"""Which dbt nodes belong to which phase, worked out on a small manifest."""

import pytest

from orchestration import phases

SOURCE = "source.p.files.files__partners"


def model(name, tag):
    return {"resource_type": "model", "name": name, "tags": [tag], "depends_on": {"nodes": []}}


def data_test(name, parents, attached=None):
    return {
        "resource_type": "test",
        "name": name,
        "tags": [],
        "depends_on": {"nodes": parents},
        "attached_node": attached,
    }


@pytest.fixture
def manifest():
    nodes = {
        "model.p.int_lines": model("int_lines", "facts"),
        "model.p.fct_entries": model("fct_entries", "ledger"),
        "model.p.fct_items": model("fct_items", "payouts"),
        "test.p.lines_unique": data_test(
            "lines_unique", ["model.p.int_lines"], "model.p.int_lines"
        ),
        "test.p.lines_known": data_test(
            "lines_known", ["model.p.int_lines", "model.p.fct_entries"], "model.p.int_lines"
        ),
        "test.p.items_tie": data_test("items_tie", ["model.p.fct_entries", "model.p.fct_items"]),
        "test.p.source_named": data_test("source_named", [SOURCE]),
    }
    return {"nodes": nodes, "sources": {SOURCE: {}}}


def test_test_belongs_to_the_latest_phase_it_reads(manifest):
    assert phases.phase_of(manifest, "test.p.lines_unique") == "facts"
    assert phases.phase_of(manifest, "test.p.lines_known") == "ledger"
    assert phases.phase_of(manifest, "test.p.items_tie") == "payouts"
    assert phases.phase_of(manifest, "test.p.source_named") == "facts"
    assert phases.phase_of(manifest, SOURCE) is None


def test_test_is_shown_on_a_model_of_its_phase(manifest):
    assert phases.checked_node(manifest, "test.p.lines_unique") == "model.p.int_lines"
    assert phases.checked_node(manifest, "test.p.lines_known") == "model.p.fct_entries"
    assert phases.checked_node(manifest, "test.p.items_tie") == "model.p.fct_items"
    assert phases.checked_node(manifest, "test.p.source_named") is None


def test_selection_names_tests_across_phases_only(manifest):
    assert phases.selection_of(manifest, "facts") == ["tag:facts", "source_named"]
    assert phases.selection_of(manifest, "ledger") == ["tag:ledger", "lines_known"]
    assert phases.selection_of(manifest, "payouts") == ["tag:payouts", "items_tie"]


def test_every_model_is_in_exactly_one_phase(manifest):
    built = [name for phase in phases.PHASES for name in phases.phase_models(manifest, phase)]
    models = [name for name in manifest["nodes"] if name.startswith("model")]
    assert sorted(built) == sorted(models)
