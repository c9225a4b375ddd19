"""Records of HubSpot: full lists, searches for changes, archived, erased and merged ones."""

from functools import partial

import pytest

from ingest.hubspot_search import milliseconds
from ingest.pull import PullOptions
from tests.fakes.hubspot_server import VERSION
from tests.fakes.server import Fault
from tests.unit.ingest.hubspot_portal import KEY, at

CONTACTS = f"/crm/objects/{VERSION}/contacts"
SEARCH = f"{CONTACTS}/search"


def fill(portal, count: int, first: int = 1, **properties) -> None:
    for number in range(first, first + count):
        email = f"p{number}@corp.example"
        portal.fake.put("contacts", str(number), at(), email=email, **properties)


@pytest.fixture
def contacts(portal):
    """Twelve contacts, pages of five, only this stream."""
    portal.choose("contacts")
    portal.fake.list_cap = 5
    portal.fake.search_cap = 5
    fill(portal, 12)
    return portal


def test_first_pull_lists_live_and_archived_records(contacts) -> None:
    contacts.fake.archive("contacts", "3", at())
    report = contacts.pull()["contacts"]
    assert (report.status, report.rows_landed, report.mode, report.pages) == ("ok", 12, "full", 4)
    assert contacts.newest("contacts")["3"] == (True, False)
    asked = [(each.params["archived"], each.params.get("after")) for each in contacts.fake.log]
    assert asked == [("false", None), ("false", "6"), ("false", "11"), ("true", None)]


def test_requests_carry_the_key_and_the_properties_that_are_needed(contacts) -> None:
    contacts.choose(properties={"contacts": ("favourite_colour", "email")})
    contacts.pull()
    request = contacts.fake.log[0]
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.params["limit"] == "100"
    assert request.params["properties"].split(",") == [
        "email",
        "createdate",
        "lastmodifieddate",
        "associatedcompanyid",
        "hubspot_owner_id",
        "hs_merged_object_ids",
        "hs_calculated_merged_vids",
        "partner_code",
        "favourite_colour",
    ]


def test_second_pull_searches_the_window_with_all_five_fields(contacts) -> None:
    contacts.pull()
    contacts.fake.put("contacts", "4", at(0.5), email="new@corp.example")
    report = contacts.pull(1)["contacts"]
    assert (report.mode, report.rows_landed) == ("changes", 1)
    (asked,) = [each.content for each in contacts.fake.searches()]
    assert sorted(asked) == ["after", "filterGroups", "limit", "properties", "sorts"]
    assert (asked["after"], asked["limit"], asked["sorts"]) == ("0", 200, ["hs_object_id"])
    (group,) = asked["filterGroups"]
    lower, upper, above = [tuple(each.values()) for each in group["filters"]]
    assert lower[:2] == ("lastmodifieddate", "GTE")
    assert upper[:2] == ("lastmodifieddate", "LTE")
    assert above == ("hs_object_id", "GT", "0")
    # The clock of a pull goes on from the instant it was given.
    assert 0 <= int(lower[2]) - int(milliseconds(at(0, minutes=-60))) < 60_000
    assert 0 <= int(upper[2]) - int(milliseconds(at(1))) < 60_000


def test_other_types_are_searched_by_their_own_time_of_change(portal) -> None:
    portal.choose("deals")
    portal.pull()
    portal.fake.put("deals", "7", at(0.5), dealstage="won")
    assert portal.pull(1)["deals"].rows_landed == 1
    (asked,) = [each.content for each in portal.fake.searches()]
    assert asked["filterGroups"][0]["filters"][0]["propertyName"] == "hs_lastmodifieddate"
    assert "deal_partner" in asked["properties"]
    assert "dealname" not in asked["properties"]


def test_windows_overlap_so_that_late_index_entries_are_found(contacts) -> None:
    contacts.pull()
    contacts.pull(1)
    # Changed before the second pull, but the index of HubSpot showed it only afterwards.
    contacts.fake.put("contacts", "9", at(1, minutes=-30), email="late@corp.example")
    assert contacts.pull(2)["contacts"].rows_landed == 1
    assert contacts.pull(3)["contacts"].status == "unchanged"


@pytest.mark.parametrize("page", [3, 7])
def test_thousands_of_changes_at_one_instant_neither_loop_nor_miss(contacts, page) -> None:
    contacts.pull()
    contacts.fake.search_cap, contacts.fake.query_cap = page, 200
    fill(contacts, 60, lifecyclestage="customer")
    for number in range(1, 61):
        contacts.fake.put("contacts", str(number), at(0.5))
    assert contacts.pull(1)["contacts"].rows_landed == 60
    assert len(contacts.fake.searches()) == -(-60 // page)


def test_more_records_than_one_query_gives_are_all_found(portal) -> None:
    portal.choose("contacts")
    fill(portal, 1)
    portal.pull()
    for number in range(1, 2051):
        portal.fake.put("contacts", str(number), at(0.5))
    portal.fake.query_cap = 1000
    assert portal.pull(1, accept_fewer=True)["contacts"].rows_landed == 2050
    assert {each.content["after"] for each in portal.fake.searches()} == {"0"}


def test_records_that_change_while_paging_hide_no_others(contacts) -> None:
    contacts.pull()
    for number in range(1, 13):
        contacts.fake.put("contacts", str(number), at(0.5), lifecyclestage="lead")

    def leave_the_window() -> None:
        for number in (1, 2, 3):
            contacts.fake.put("contacts", str(number), at(1.1), lifecyclestage="customer")

    contacts.fake.script[SEARCH] = [Fault(), Fault(before=leave_the_window)]
    assert contacts.pull(1)["contacts"].rows_landed == 12
    assert contacts.pull(2)["contacts"].rows_landed == 3


def test_records_archived_between_sweeps_are_seen_the_next_night(contacts) -> None:
    contacts.pull()
    contacts.fake.archive("contacts", "2", at(0.5))
    report = contacts.pull(1)["contacts"]
    assert (report.mode, report.rows_landed) == ("changes", 1)
    assert contacts.newest("contacts")["2"] == (True, False)


def test_records_restored_from_the_bin_are_live_again(contacts) -> None:
    contacts.fake.archive("contacts", "2", at())
    contacts.pull()
    contacts.fake.put("contacts", "2", at(0.5))
    contacts.pull(1)
    assert contacts.newest("contacts")["2"] == (False, False)


def test_erased_records_become_tombstones_with_the_next_sweep(contacts) -> None:
    contacts.pull()
    contacts.fake.erase("contacts", "5")
    assert contacts.pull(1)["contacts"].rows_landed == 0
    report = contacts.pull(7)["contacts"]
    assert (report.mode, report.rows_landed) == ("full", 1)
    assert "everything is read every 7 days" in report.message
    assert contacts.newest("contacts")["5"] == (False, True)
    assert contacts.rows(
        "select payload ->> '$.properties.email' from raw.hubspot__contacts where is_tombstone"
    ) == [("p5@corp.example",)]


def test_archived_records_do_not_count_as_vanished(contacts) -> None:
    contacts.pull()
    contacts.fake.archive("contacts", "5", at(0.5))
    contacts.pull(7)
    assert contacts.newest("contacts")["5"] == (True, False)


def test_merged_records_name_their_parts_and_the_parts_vanish(contacts) -> None:
    contacts.pull()
    contacts.fake.merge("contacts", ["1", "2"], "40", at(0.5))
    contacts.pull(1)
    assert contacts.rows(
        "select payload ->> '$.properties.hs_merged_object_ids' from raw.hubspot__contacts"
        " where object_id = '40'"
    ) == [("1;2",)]
    contacts.pull(7)
    newest = contacts.newest("contacts")
    assert (newest["1"], newest["2"], newest["40"]) == (
        (False, True),
        (False, True),
        (False, False),
    )


def test_lists_that_came_back_far_too_short_are_refused(contacts) -> None:
    contacts.pull()
    for number in range(1, 7):
        contacts.fake.erase("contacts", str(number))
    assert contacts.pull(7)["contacts"].status == "failed"
    assert contacts.pull(8, accept_fewer=True)["contacts"].rows_landed == 6


def test_another_property_reads_all_records_again(contacts) -> None:
    contacts.pull()
    contacts.choose(properties={"contacts": ("favourite_colour",)})
    report = contacts.pull(1)["contacts"]
    assert (report.mode, report.rows_landed) == ("full", 12)
    assert contacts.pull(2)["contacts"].mode == "changes"


def test_without_sweeps_only_changes_are_read(contacts) -> None:
    contacts.choose(sweep_days=0)
    contacts.pull()
    assert contacts.pull(400)["contacts"].mode == "changes"


def test_too_many_properties_are_refused_before_any_request(contacts) -> None:
    contacts.choose(properties={"contacts": tuple(f"a_long_name_{n:04d}" for n in range(900))})
    report = contacts.pull()["contacts"]
    assert (report.status, report.is_transient) == ("failed", False)
    assert "properties.contacts" in report.what_to_do
    assert contacts.fake.log == []


def test_the_longest_accepted_list_of_properties_fits_into_an_address(contacts) -> None:
    contacts.choose(properties={"contacts": tuple(f"a_long_name_{n:04d}" for n in range(680))})
    assert contacts.pull()["contacts"].status == "ok"


@pytest.mark.parametrize("dies_at", [2, 3, 4])
def test_killed_pulls_go_on_where_they_stopped(contacts, dies_at, monkeypatch) -> None:
    monkeypatch.setattr("ingest.run.PullOptions", partial(PullOptions, part_pages=1))
    contacts.pull()
    for number in range(1, 13):
        contacts.fake.put("contacts", str(number), at(0.5), lifecyclestage="lead")
    contacts.fake.archive("contacts", "12", at(0.5))

    def die(step) -> None:
        if step.done == dies_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        contacts.run(1, progress=die)
    asked = len(contacts.fake.log)
    assert contacts.pull(1.02)["contacts"].rows_landed == 12
    # Three pages of the search and one of the archived; the one it died with is asked for again.
    assert asked + len(contacts.fake.log) == 4 + 1
    assert contacts.rows(
        "select count(*), count(distinct object_id) from raw.hubspot__contacts where _arrival = 2"
    ) == [(12, 12)]
