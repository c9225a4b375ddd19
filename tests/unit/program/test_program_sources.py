"""Connectors: names, addresses, and that a secret never stands in the file or in a message."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from program.load import Workspace
from program.schema_sources import STRIPE_STREAMS, StripeSource

Problems = Callable[..., list[str]]


def test_stripe_source_without_settings_uses_documented_defaults(
    load: Callable[..., Workspace],
) -> None:
    source = load(sources="sources: {billing: {kind: stripe}}\n").sources.sources["billing"]
    assert isinstance(source, StripeSource)
    assert source.base_url == "https://api.stripe.com"
    assert source.api_key_env == "STRIPE_API_KEY"
    assert source.streams == STRIPE_STREAMS
    assert (source.overlap_hours, source.timeout_seconds) == (1, 30)
    assert source.fields.code == ("metadata.partner_code",)


def test_stripe_streams_that_belong_together_are_completed(
    load: Callable[..., Workspace],
) -> None:
    def streams(settings: str) -> tuple[str, ...]:
        text = f"sources: {{billing: {{kind: stripe, {settings}}}}}\n"
        return load(sources=text).sources.sources["billing"].streams

    assert streams("streams: [customers]") == ("customers", "events")
    assert streams("streams: [customers], changes: full_list") == ("customers",)
    assert "invoice_payments" not in streams("api_version: 2025-02-24.acacia")


@pytest.mark.parametrize(
    "setting",
    [
        "api_key_env: sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "api_key_env: rk_test_4eC39HqLyjWDarjtT1zdp7dc",
        "api_key: STRIPE_4eC39HqLyjWDarjtT1zdp7dc",
        "key: 4eC39HqLyjWDarjtT1zdp7dc",
        "token: 4eC39HqLyjWDarjtT1zdp7dc",
        "base_url: https://user:4eC39HqLyjWDarjtT1zdp7dc@api.stripe.com",
        "streams: [Bearer 4eC39HqLyjWDarjtT1zdp7dc]",
        "kind: sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc: 1",
        "fields: {code: whsec_4eC39HqLyjWDarjtT1zdp7dc}",
    ],
)
def test_literal_secret_is_refused_with_hint_and_never_repeated(
    problems: Problems, setting: str
) -> None:
    kind = "" if setting.startswith("kind") else "    kind: stripe\n"
    lines = problems(sources=f"sources:\n  billing:\n{kind}    {setting}\n")
    assert len(lines) == 1, lines
    assert lines[0].startswith(f"sources.yml:{4 if kind else 3}: sources.billing")
    assert "environment" in lines[0]
    assert "4eC39" not in "".join(lines)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("api_key_env: stripe-key", "must be the name of an environment variable"),
        ("base_url: api.stripe.com", "must be an address"),
        ("base_url: ftp://api.stripe.com", "must be an address"),
        ("base_url: http://localhost:99999", "must be an address"),
        ("streams: [invoice]", "did you mean invoices?"),
        ("streams: []", "needs at least one entry under streams; name one of "),
        ("overlap_hours: -1", "must be 0 or more"),
        ("timeout_seconds: 0", "must be 1 or more"),
        ("api_version: newest", "api_version"),
        ("fields: {code: 'metadata..code'}", "must be names joined by points"),
        ("path: drop", "belongs to kind files, not to stripe"),
        ("timeout: 5", "did you mean timeout_seconds?"),
    ],
)
def test_stripe_setting_that_is_wrong_is_refused_on_its_line(
    problems: Problems, setting: str, expected: str
) -> None:
    lines = problems(sources=f"sources:\n  billing:\n    kind: stripe\n    {setting}\n")
    assert len(lines) == 1
    assert lines[0].startswith("sources.yml:4: sources.billing.")
    assert expected in lines[0]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("streams: [charges, refunds]", "streams has no invoice_payments"),
        (
            "streams: [invoice_payments], api_version: 2025-02-24.acacia",
            "streams has invoice_payments, which API version 2025-02-24.acacia does not have",
        ),
    ],
)
def test_stripe_streams_that_the_api_version_cannot_link_are_refused(
    problems: Problems, settings: str, expected: str
) -> None:
    lines = problems(sources=f"sources: {{billing: {{kind: stripe, {settings}}}}}\n")
    assert len(lines) == 1
    assert expected in lines[0]


ORGANIZATION = "organization: https://api.calendly.com/organizations/acme"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("kind: calendly, organization: acme", "organization"),
        (f"kind: calendly, {ORGANIZATION}, streams: [invitees]", "which invitees needs"),
        ("kind: google_calendar, calendars: [a]", "either token_env or service_account_env"),
        (
            "kind: google_calendar, calendars: [a], token_env: A, service_account_env: B",
            "either token_env or service_account_env",
        ),
        (
            "kind: google_calendar, calendars: [a], token_env: A, delegate: b",
            "delegate needs service_account_env",
        ),
        ("kind: google_calendar, calendars: [], token_env: A", "calendars"),
        ("kind: typeform, forms: []", "forms"),
    ],
)
def test_form_or_calendar_source_that_cannot_work_is_refused(
    problems: Problems, settings: str, expected: str
) -> None:
    lines = problems(sources=f"sources: {{demos: {{{settings}}}}}\n")
    assert len(lines) == 1
    assert expected in lines[0]


@pytest.mark.parametrize(
    "place", ["field:Who referred you?", "field:Wer? 1: ja / 2: nein", "field:a.b c", "url:ref"]
)
def test_a_field_is_named_by_any_words(load: Callable[..., Workspace], place: str) -> None:
    text = f"sources: {{demos: {{kind: calendly, {ORGANIZATION}, fields: {{code: {place!r}}}}}}}\n"
    assert load(sources=text).sources.sources["demos"].fields.code == (place,)


@pytest.mark.parametrize(
    "place",
    ["field:", "field: ", '"field:a\\nb"', '"field:a\\x85"', "url:Who referred", "a b", "x:y"],
)
def test_a_place_of_another_form_is_refused(problems: Problems, place: str) -> None:
    quoted = place if place.startswith('"') else f"'{place}'"
    text = f"sources: {{demos: {{kind: calendly, {ORGANIZATION}, fields: {{code: {quoted}}}}}}}\n"
    (line,) = problems(sources=text)
    assert "must be names joined by points" in line


@pytest.mark.parametrize("name", ["Drop", "1drop", "my-drop", "drop.x", "_drop"])
def test_source_name_outside_pattern_is_refused(problems: Problems, name: str) -> None:
    lines = problems(sources=f"sources:\n  {name}: {{kind: files}}\n")
    assert lines == [
        f"sources.yml:2: sources.{name}: must be lower case letters, digits and '_', "
        "beginning with a letter"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "sources: {}\n",
            "sources.yml:1: sources: needs at least one entry under sources; "
            "write one under sources, such as NAME: ...",
        ),
        ("source: {}\n", "sources.yml:1: source: unknown setting; did you mean sources?"),
        ("- a\n", "sources.yml:1: must be a mapping of settings; write name: value lines"),
        ("sources:\n  a: {path: x}\n", "sources.yml:2: sources.a.kind: is missing; "),
        ("sources:\n  a: {kind: file}\n", "did you mean files?"),
    ],
)
def test_sources_file_of_wrong_shape_is_refused(
    problems: Problems, text: str, expected: str
) -> None:
    assert any(expected in line for line in problems(sources=text))


def test_format_of_an_unknown_entity_is_refused_with_the_nearest(problems: Problems) -> None:
    text = "sources:\n  drop:\n    kind: files\n    formats:\n      invoces: {delimiter: ';'}\n"
    (line,) = problems(sources=text)
    assert line.startswith("sources.yml:5: sources.drop.formats.invoces: 'invoces' is not one of")
    assert line.endswith("did you mean invoices?")


def test_format_says_only_what_is_known(problems: Problems) -> None:
    text = (
        "sources:\n  drop:\n    kind: files\n    formats:\n"
        "      invoices: {encoding: latin1, decimals: coma, dates: excel, separator: ';'}\n"
    )
    lines = problems(sources=text)
    told = sorted(line.partition("formats.invoices.")[2] for line in lines)
    assert [each.partition(":")[0] for each in told] == [
        "dates", "decimals", "encoding", "separator",
    ]  # fmt: skip
    assert told[1].endswith("did you mean comma?")
    assert told[2].endswith("did you mean latin-1?")


def test_formats_are_read_as_written(load: Callable[..., Workspace]) -> None:
    formats = '{invoices: {delimiter: "\\t", dates: excel_1904}}'
    text = f"sources: {{drop: {{kind: files, formats: {formats}}}}}\n"
    declared = load(sources=text).sources.sources["drop"].formats["invoices"]
    assert (declared.delimiter, declared.dates, declared.decimals) == ("\t", "excel_1904", "point")
