"""Associations of HubSpot: whole sets, batches, long sets, refusals inside a batch, resuming."""

from functools import partial

import pytest

from ingest.pull import PullOptions
from tests.fakes.hubspot_server import VERSION
from tests.fakes.hubspot_shapes import error, refused
from tests.unit.ingest.hubspot_portal import at

DEAL_CONTACTS = f"/crm/associations/{VERSION}/deals/contacts/batch/read"


@pytest.fixture
def deals(portal):
    """Three deals; the second has no contact, the third has four."""
    for number in ("1", "2", "3"):
        portal.fake.put("deals", number, at(), dealstage="open")
    portal.fake.relate("deals", "1", "contacts", ["71"])
    portal.fake.relate("deals", "3", "contacts", ["72", "73", "74", "75"])
    portal.fake.relate("deals", "3", "companies", ["90"])
    portal.choose("deals", "associations")
    return portal


def test_first_pull_asks_for_all_sets(deals) -> None:
    report = deals.pull()["associations"]
    assert (report.status, report.mode, report.pages) == ("ok", "full", 2)
    assert deals.sets("deal_contacts") == {"1": ["71"], "2": [], "3": ["72", "73", "74", "75"]}
    assert deals.sets("deal_companies") == {"1": [], "2": [], "3": ["90"]}
    assert deals.rows(
        "select object_id, payload from raw.hubspot__deal_contacts where parent_id = '2'"
    ) == [("", "{}")]


def test_all_five_relations_are_read(portal) -> None:
    for kind in ("contacts", "deals", "meetings"):
        portal.fake.put(kind, "5", at())
        portal.fake.relate(kind, "5", "companies", ["90"])
        portal.fake.relate(kind, "5", "contacts", ["71"])
    portal.pull()
    assert [each.path for each in portal.fake.log if "associations" in each.path] == [
        f"/crm/associations/{VERSION}/{pair}/batch/read"
        for pair in (
            "deals/contacts",
            "deals/companies",
            "contacts/companies",
            "meetings/contacts",
            "meetings/companies",
        )
    ]
    assert portal.sets("contact_companies") == {"5": ["90"]}
    assert portal.sets("meeting_contacts") == {"5": ["71"]}


def test_only_records_that_landed_since_are_asked_for(deals) -> None:
    deals.pull()
    assert deals.pull(1)["associations"].requests == 0
    deals.fake.put("deals", "1", at(1.5), dealstage="won")
    deals.fake.relate("deals", "1", "contacts", ["71", "76"])
    report = deals.pull(2)["associations"]
    assert (report.mode, report.rows_landed) == ("changes", 1)
    assert deals.fake.batches("deals/contacts") == [[{"id": "1"}]]
    assert deals.sets("deal_contacts")["1"] == ["71", "76"]


def test_a_set_that_became_smaller_or_empty_replaces_the_old_one(deals) -> None:
    deals.pull()
    for number in ("1", "3"):
        deals.fake.put("deals", number, at(0.5))
    deals.fake.relate("deals", "1", "contacts", [])
    deals.fake.relate("deals", "3", "contacts", ["73"])
    deals.pull(1)
    assert deals.sets("deal_contacts") == {"1": [], "2": [], "3": ["73"]}


def test_sweeps_find_associations_that_changed_without_their_record(deals) -> None:
    deals.pull()
    deals.fake.relate("deals", "2", "contacts", ["77"])
    assert deals.pull(1)["associations"].status == "unchanged"
    report = deals.pull(7)["associations"]
    assert (report.mode, report.rows_landed) == ("full", 1)
    assert deals.sets("deal_contacts")["2"] == ["77"]


def test_archived_and_erased_records_keep_what_they_belonged_to(deals) -> None:
    deals.pull()
    deals.fake.archive("deals", "1", at(0.5))
    deals.fake.erase("deals", "3")
    deals.pull(1)
    deals.pull(7, accept_fewer=True)
    assert [each["id"] for each in deals.fake.batches("deals/contacts")[0]] == ["2"]
    assert deals.sets("deal_contacts")["1"] == ["71"]
    assert deals.sets("deal_contacts")["3"] == ["72", "73", "74", "75"]


def test_batches_have_at_most_a_hundred_ids(portal) -> None:
    portal.choose("deals", "associations")
    for number in range(1, 251):
        portal.fake.put("deals", str(number), at())
    portal.pull()
    sizes = [len(each) for each in portal.fake.batches("deals/contacts")]
    assert sizes == [100, 100, 50]
    assert portal.rows("select count(*) from raw.hubspot__deal_contacts") == [(250,)]


def test_long_sets_are_paged_each_from_its_own_cursor(deals) -> None:
    deals.fake.association_cap = 2
    deals.fake.relate("deals", "2", "contacts", ["81", "82", "83", "84", "85"])
    deals.pull()
    assert deals.fake.batches("deals/contacts") == [
        [{"id": "1"}, {"id": "2"}, {"id": "3"}],
        [{"id": "2", "after": "2"}, {"id": "3", "after": "2"}],
        [{"id": "2", "after": "4"}],
    ]
    assert deals.sets("deal_contacts") == {
        "1": ["71"],
        "2": ["81", "82", "83", "84", "85"],
        "3": ["72", "73", "74", "75"],
    }


def test_a_server_that_ignores_after_does_not_loop(deals) -> None:
    deals.pull()
    deals.fake.ignore_after = True
    deals.fake.put("deals", "1", at(0.5))
    report = deals.pull(1)["associations"]
    assert (report.status, report.is_transient) == ("failed", False)
    assert "ignores after" in report.message


def test_records_refused_in_a_batch_keep_their_set(deals) -> None:
    deals.pull()
    for number in ("1", "2", "3"):
        deals.fake.put("deals", number, at(0.5))
    deals.fake.batch_errors["1"] = {**error("OBJECT_NOT_FOUND"), "context": {"ids": ["1"]}}
    deals.fake.relate("deals", "3", "contacts", [])
    assert deals.pull(1)["associations"].status == "ok"
    assert deals.sets("deal_contacts") == {"1": ["71"], "2": [], "3": []}


def test_a_batch_that_failed_in_part_is_asked_for_again(deals) -> None:
    deals.fake.batch_errors["1"] = error("INTERNAL_ERROR")

    def recover(number: int) -> None:
        if len(deals.fake.batches("deals/contacts")) == 2:
            deals.fake.batch_errors.clear()

    deals.fake.on_request = recover
    assert deals.pull()["associations"].status == "ok"
    assert deals.sets("deal_contacts")["1"] == ["71"]


def test_a_batch_that_stays_incomplete_lands_nothing(deals) -> None:
    deals.fake.batch_errors["1"] = error("INTERNAL_ERROR")
    report = deals.pull()["associations"]
    assert report.status == "failed"
    assert "a part of the batch failed" in report.message
    assert deals.sets("deal_contacts") == {}


def test_what_was_not_read_one_night_is_read_the_next(deals) -> None:
    deals.pull()
    deals.fake.put("deals", "1", at(0.5))
    deals.fake.relate("deals", "1", "contacts", ["78"])
    deals.fake.script[DEAL_CONTACTS] = [refused(503)] * 5
    assert deals.pull(1)["associations"].is_transient
    assert deals.pull(2)["associations"].status == "ok"
    assert deals.sets("deal_contacts")["1"] == ["78"]


def test_sets_are_not_asked_for_when_their_records_failed(deals) -> None:
    deals.fake.script[f"/crm/objects/{VERSION}/deals"] = [refused(400)]
    report = deals.pull()["associations"]
    assert (report.status, report.requests) == ("failed", 0)
    assert "deals failed" in report.message


@pytest.mark.parametrize("dies_at", [2, 3, 4])
def test_killed_pulls_go_on_in_the_middle_of_a_long_set(deals, dies_at, monkeypatch) -> None:
    monkeypatch.setattr("ingest.run.PullOptions", partial(PullOptions, part_pages=1))
    deals.fake.association_cap = 2
    deals.fake.relate("deals", "2", "contacts", ["81", "82", "83", "84", "85"])
    deals.choose("deals")
    deals.pull()
    deals.choose("deals", "associations")

    def die(step) -> None:
        if step.stream == "associations" and step.done == dies_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deals.run(0.01, progress=die)
    asked = len(deals.fake.batches())
    # What changes meanwhile is asked for with the next plan, not with this one.
    deals.fake.put("deals", "1", at(0.02))
    assert deals.pull(0.05)["associations"].status == "ok"
    assert asked + len(deals.fake.batches()) == 4 + 1
    assert deals.sets("deal_contacts")["2"] == ["81", "82", "83", "84", "85"]
    deals.pull(0.1)
    assert deals.fake.batches("deals/contacts") == [[{"id": "1"}]]
