"""Pipelines, owners and form submissions of HubSpot, and the settings that choose streams."""

from functools import partial

import pytest

from ingest.connectors import relations_of
from ingest.pull import PullOptions
from program.schema_sources import HUBSPOT_STREAMS, HubspotSource
from tests.fakes.hubspot_server import FORMS, VERSION
from tests.unit.ingest.hubspot_portal import ALL_STREAMS, at

FORM = "78c2891f-ebdd-44c0-bd94-15c012bbbfbf"
OTHER = "99c2891f-ebdd-44c0-bd94-15c012bbbfbf"


def owner(number: str, is_archived: bool = False) -> dict:
    """An owner in HubSpot's shape."""
    return {
        "id": number,
        "email": f"owner{number}@corp.example",
        "type": "PERSON",
        "createdAt": "2025-01-01T00:00:00.000Z",
        "updatedAt": "2025-01-01T00:00:00.000Z",
        "archived": is_archived,
    }


@pytest.fixture
def forms(portal):
    """One form with 120 submissions, a minute apart, the newest an hour before the first night."""
    for number in range(1, 121):
        portal.fake.submit(FORM, f"s{number}", at(0, minutes=-180 + number), email="a@corp.example")
    portal.choose("form_submissions", forms=(FORM,))
    return portal


def test_the_settings_of_the_programme_know_the_same_streams() -> None:
    assert HUBSPOT_STREAMS == ALL_STREAMS
    assert HubspotSource(kind="hubspot").api_version == VERSION


def test_names_of_properties_are_checked() -> None:
    with pytest.raises(ValueError, match="properties"):
        HubspotSource(kind="hubspot", properties={"deals": ["a,b"]})


def test_streams_are_pulled_in_their_order(portal) -> None:
    assert [each.stream for each in portal.run(0).streams] == list(ALL_STREAMS)


def test_relations_are_those_that_the_models_read() -> None:
    assert relations_of("hubspot") == [
        "pipelines",
        "owners",
        "contacts",
        "companies",
        "deals",
        "meetings",
        "deal_contacts",
        "deal_companies",
        "contact_companies",
        "meeting_contacts",
        "meeting_companies",
        "form_submissions",
    ]


def test_pipelines_land_with_their_stages(portal) -> None:
    portal.fake.add_pipeline("default", ("won", True, "1.0"), ("lost", True, "0.0"))
    portal.choose("pipelines")
    assert portal.pull()["pipelines"].rows_landed == 1
    assert [each.path for each in portal.fake.log] == [f"/crm/pipelines/{VERSION}/deals"]
    assert portal.fake.log[0].params == {}
    assert portal.rows(
        "select object_id, payload ->> '$.stages[0].id' from raw.hubspot__pipelines"
    ) == [("default", "won")]
    portal.fake.pipelines = []
    assert portal.pull(1)["pipelines"].status == "unchanged"


def test_owners_land_from_all_pages_archived_ones_too(portal) -> None:
    portal.fake.list_cap = 2
    portal.fake.owners = [owner(str(number)) for number in range(1, 6)] + [owner("9", True)]
    portal.choose("owners")
    report = portal.pull()["owners"]
    assert (report.rows_landed, report.pages) == (6, 4)
    assert portal.pull(1)["owners"].status == "unchanged"


def test_without_forms_no_request_is_made(portal) -> None:
    portal.choose("form_submissions")
    report = portal.pull()["form_submissions"]
    assert (report.status, report.requests) == ("unchanged", 0)


def test_submissions_land_under_their_form(forms) -> None:
    report = forms.pull()["form_submissions"]
    assert (report.rows_landed, report.pages) == (120, 3)
    assert {each.params["limit"] for each in forms.fake.log} == {"50"}
    assert forms.rows(
        "select object_id, parent_id, payload ->> '$.values[0].value'"
        " from raw.hubspot__form_submissions order by _row limit 1"
    ) == [("s120", FORM, "a@corp.example")]


def test_known_submissions_are_not_paged_again(forms) -> None:
    forms.pull()
    forms.fake.submit(FORM, "new", at(0.5))
    report = forms.pull(1)["form_submissions"]
    assert (report.mode, report.rows_landed, report.pages) == ("changes", 1, 1)


def test_pages_are_read_until_they_are_older_than_the_overlap(forms) -> None:
    forms.pull()
    # In the list only now, with the time at which it was sent.
    forms.fake.submit(FORM, "late", at(0, minutes=-30))
    for number in range(60):
        forms.fake.submit(FORM, f"n{number}", at(0.5, minutes=number))
    report = forms.pull(1)["form_submissions"]
    assert (report.rows_landed, report.pages) == (61, 2)


def test_submissions_that_were_dated_back_are_found_by_the_sweep(forms) -> None:
    forms.pull()
    forms.fake.submit(FORM, "old", at(-300))
    assert forms.pull(1)["form_submissions"].rows_landed == 0
    report = forms.pull(7)["form_submissions"]
    assert (report.mode, report.rows_landed) == ("full", 1)


def test_a_form_that_is_added_later_is_read_from_its_beginning(forms) -> None:
    forms.pull()
    for number in range(70):
        forms.fake.submit(OTHER, f"o{number}", at(-400, minutes=number))
    forms.choose("form_submissions", forms=(OTHER, FORM))
    report = forms.pull(1)["form_submissions"]
    assert (report.mode, report.rows_landed, report.pages) == ("changes", 70, 3)


def test_an_unknown_form_fails_the_stream_and_is_named(forms) -> None:
    forms.choose("form_submissions", forms=(OTHER,))
    report = forms.pull()["form_submissions"]
    assert (report.status, report.is_transient) == ("failed", False)
    assert OTHER in report.message
    assert "sources.crm.forms" in report.what_to_do


def test_submissions_sent_while_paging_lose_nothing(forms) -> None:
    def send(number: int) -> None:
        forms.fake.submit(FORM, f"meanwhile{number}", at(0.0001, minutes=number))

    forms.fake.on_request = send
    assert forms.pull()["form_submissions"].status == "ok"
    forms.fake.on_request = None
    forms.pull(1)
    assert forms.rows("select count(distinct object_id) from raw.hubspot__form_submissions") == [
        (123,)
    ]


@pytest.mark.parametrize("dies_at", [2, 3, 4])
def test_killed_pulls_go_on_with_the_page_of_their_form(forms, dies_at, monkeypatch) -> None:
    monkeypatch.setattr("ingest.run.PullOptions", partial(PullOptions, part_pages=1))
    forms.fake.submit(OTHER, "other", at())
    forms.choose("form_submissions", forms=(FORM, OTHER))

    def die(step) -> None:
        if step.done == dies_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        forms.run(0, progress=die)
    asked = len(forms.fake.log)
    assert forms.pull(0.02)["form_submissions"].rows_landed == 121
    assert asked + len(forms.fake.log) == 4 + 1
    assert all(each.path.startswith(FORMS) for each in forms.fake.log)
