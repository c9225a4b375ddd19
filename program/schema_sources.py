"""Connectors of `sources.yml`, in order of rank (F2). Holds names of secrets, never secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, StrictStr, model_validator

from program.schema_base import Terms, Text, Texts

StripeStream = Literal[
    "events",
    "customers",
    "subscriptions",
    "products",
    "prices",
    "coupons",
    "promotion_codes",
    "invoices",
    "charges",
    "invoice_payments",
    "refunds",
    "disputes",
    "credit_notes",
    "balance_transactions",
]
HubspotStream = Literal[
    "pipelines",
    "owners",
    "contacts",
    "companies",
    "deals",
    "meetings",
    "associations",
    "form_submissions",
]
FileEntity = Literal[
    "partners",
    "partner_codes",
    "touchpoints",
    "form_submissions",
    "deal_registrations",
    "contacts",
    "companies",
    "deals",
    "meetings",
    "product_events",
    "customers",
    "subscriptions",
    "products",
    "invoices",
    "invoice_lines",
    "payments",
    "refunds",
    "disputes",
    "credit_notes",
    "fx_rates",
    "manual_commissions",
]
"""What a files source holds, as `ingest.entities` declares it; a test holds the two equal."""
STRIPE_STREAMS: tuple[StripeStream, ...] = get_args(StripeStream)
HUBSPOT_STREAMS: tuple[HubspotStream, ...] = get_args(HubspotStream)
"""All streams of a kind, in the order in which they are pulled."""

STRIPE_API_VERSION = "2025-11-17.clover"
"""The first version in which every list that is pulled can be filtered by `created`."""
INVOICE_PAYMENTS_SINCE = "2025-03-31"
"""From this API version on a charge no longer names its invoice: only `invoice_payments` links a
refund to it (Stripe changelog). Before it, that endpoint does not exist."""


def _environment_name(value: str) -> str:
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", value):
        raise ValueError("must be the name of an environment variable, such as STRIPE_API_KEY")
    return value


def _source_name(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", value):
        raise ValueError("must be lower case letters, digits and '_', beginning with a letter")
    return value


def _base_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or parts.username or parts.password:
        raise ValueError("must be an address such as https://api.stripe.com, without credentials")
    return value.rstrip("/")


def _carriers(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _carrier(value: str) -> str:
    # A question of a booking has no other name than its words.
    words = r"field:(?=.*\S)[^\x00-\x1f\x7f-\x9f]+"
    names = r"(url:)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*"
    if not re.fullmatch(f"{words}|{names}", value):
        raise ValueError(
            "must be names joined by points, such as metadata.partner_code, or url:NAME for a "
            "parameter of the page address, or field:NAME for a field of the form or the words of "
            "a question, without control characters"
        )
    return value


EnvironmentName = Annotated[StrictStr, AfterValidator(_environment_name)]
SourceName = Annotated[StrictStr, AfterValidator(_source_name)]
BaseUrl = Annotated[StrictStr, AfterValidator(_base_url)]
Carriers = Annotated[
    tuple[Annotated[StrictStr, AfterValidator(_carrier)], ...], BeforeValidator(_carriers)
]
"""Places that can hold a value, the first filled one counts: a path inside the object
(`metadata.partner_code`), `url:ref` (parameter of the page address), `field:partner_code` (a field
of the form) or `field:Who referred you?` (a question of the booking, in its words)."""
PropertyName = Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
OverlapHours = Annotated[StrictInt, Field(ge=0, le=24 * 31)]
TimeoutSeconds = Annotated[StrictInt, Field(ge=1, le=600)]
Days = Annotated[StrictInt, Field(ge=0, le=3650)]
FreshnessHours = Annotated[StrictInt, Field(ge=1, le=24 * 365)]
Held = Literal["when_ended", "never"]


class FileFormat(Terms):
    """How the files of one entity are written, where it is not the plain form."""

    encoding: Literal["auto", "utf-8", "utf-16", "cp1252", "latin-1"] = "auto"
    """Of CSV and NDJSON; `auto` finds all but latin-1."""
    delimiter: Literal[",", ";", "\t", "|"] = ","
    """Of CSV."""
    decimals: Literal["point", "comma"] = "point"
    """`comma` reads 1.234,56 in decimal columns of CSV; amounts are whole minor units all the
    same."""
    dates: Literal["iso", "excel_1900", "excel_1904"] = "iso"
    """`excel_*` also reads serial day numbers in date and instant columns, as local time."""


class FilesSource(Terms):
    """A folder of CSV, NDJSON or Parquet files, one entity per file name."""

    kind: Literal["files"]
    path: Text = "drop"
    """The folder, relative to the workspace unless absolute."""
    formats: dict[FileEntity, FileFormat] = {}
    """By entity. They hold for files that are landed from then on."""
    freshness_hours: FreshnessHours | None = None
    """None: files arrive when somebody drops them; nothing is late."""


class ApiSource(Terms):
    """Settings that all connectors share."""

    streams: tuple[str, ...]
    overlap_hours: OverlapHours = 1
    """How far a pull reaches back before the last one: changes can appear late."""
    timeout_seconds: TimeoutSeconds = 30
    freshness_hours: FreshnessHours = 36
    """A stream without a successful pull for longer is reported as late."""


class StripeFields(Terms):
    """Where Stripe's objects carry what the programme needs."""

    code: Carriers = ("metadata.partner_code",)
    """On customers: the partner's code."""
    partner_id: Carriers = ("metadata.partner_id",)
    """On promotion codes and coupons: the partner they belong to."""
    company_domain: Carriers = ("metadata.company_domain",)
    contact_id: Carriers = ("metadata.contact_id",)
    product_kind: Carriers = ("metadata.kind",)
    """On products: recurring, one_off, usage, setup or shipping."""


class StripeWebhooks(Terms):
    """Webhook bodies that the user's own receiver dropped: one JSON object per line with `body`
    (the text as received), `headers` and `received_at`."""

    path: Text
    """The folder, relative to the workspace unless absolute."""
    secret_env: EnvironmentName | None = None
    """Variable with the endpoint's signing secret: bodies are then checked against
    `Stripe-Signature`, and those that fail are rejected."""


class StripeSource(ApiSource):
    """Billing pulled from Stripe, or from a server that speaks its API."""

    kind: Literal["stripe"]
    base_url: BaseUrl = "https://api.stripe.com"
    api_key_env: EnvironmentName = "STRIPE_API_KEY"
    """Name of the environment variable that holds a restricted, read-only key."""
    api_version: Annotated[Text, Field(pattern=r"^\d{4}-\d{2}-\d{2}(\.[a-z]+)?$")] = (
        STRIPE_API_VERSION
    )
    """Sent as Stripe-Version, so that the shape of answers never changes by itself."""
    streams: Annotated[tuple[StripeStream, ...], Field(min_length=1)] = STRIPE_STREAMS
    changes: Literal["events", "full_list"] = "events"
    """`events`: after the first pull only what /v1/events names. `full_list`: everything each
    night, for servers whose event feed is not complete."""
    created_windows: bool = True
    """Full lists in windows of one calendar month of `created`; false for servers without that
    filter."""
    full_scan_days: Days = 30
    """A full list is read again after so many days, against what the event feed missed; 0: only
    when the feed cannot cover the gap."""
    webhooks: StripeWebhooks | None = None
    fields: StripeFields = StripeFields()

    @model_validator(mode="before")
    @classmethod
    def _streams_that_belong_together(cls, given: object) -> object:
        """API versions without invoice payments do not pull them; the event feed is pulled
        whenever it says what changed."""
        if not isinstance(given, Mapping):
            return given
        version = given.get("api_version", STRIPE_API_VERSION)
        is_old = isinstance(version, str) and version < INVOICE_PAYMENTS_SINCE
        streams = given.get("streams", STRIPE_STREAMS)
        if "streams" not in given and is_old:
            streams = tuple(each for each in streams if each != "invoice_payments")
        if not isinstance(streams, (list, tuple)) or not streams:
            return given
        if given.get("changes", "events") == "events" and "events" not in streams:
            # At the end: messages name a faulty stream by its place in the list.
            streams = (*streams, "events")
        return {**given, "streams": streams}

    @model_validator(mode="after")
    def _can_link_refunds(self) -> Self:
        is_new = self.api_version >= INVOICE_PAYMENTS_SINCE
        if is_new and "invoice_payments" not in self.streams:
            if {"charges", "refunds", "disputes"} & set(self.streams):
                raise ValueError(
                    f"streams has no invoice_payments: from API version {INVOICE_PAYMENTS_SINCE} "
                    "on nothing else links a charge or a refund to its invoice"
                )
        if not is_new and "invoice_payments" in self.streams:
            raise ValueError(
                f"streams has invoice_payments, which API version {self.api_version} does not "
                "have: remove it"
            )
        return self


class HubspotFields(Terms):
    """Which properties and form fields carry what the programme needs."""

    contact_code: Carriers = ("properties.partner_code",)
    deal_code: Carriers = ("properties.partner_code",)
    form_code: Carriers = ("field:partner_code", "url:partner", "url:ref")
    form_email: Carriers = ("field:email",)
    form_company_domain: Carriers = ("field:company_domain", "field:website")
    form_anonymous_id: Carriers = ("field:anonymous_id", "url:anonymous_id")


class HubspotSource(ApiSource):
    """CRM records from HubSpot, on its date-versioned API."""

    kind: Literal["hubspot"]
    base_url: BaseUrl = "https://api.hubapi.com"
    token_env: EnvironmentName = "HUBSPOT_SERVICE_KEY"
    """Name of the environment variable that holds a service key."""
    api_version: Annotated[Text, Field(pattern=r"^\d{4}-\d{2}$")] = "2026-09"
    streams: Annotated[tuple[HubspotStream, ...], Field(min_length=1)] = HUBSPOT_STREAMS
    forms: Texts = ()
    """GUIDs of the forms whose submissions are read."""
    properties: dict[
        Literal["contacts", "companies", "deals", "meetings"], tuple[PropertyName, ...]
    ] = {}
    """Internal names of properties beyond those that the models and `fields` need."""
    sweep_days: Days = 7
    """Everything is read again after so many days: what vanished becomes a tombstone; 0: only when
    the properties or the version change."""
    fields: HubspotFields = HubspotFields()


class TypeformFields(Terms):
    """Which hidden fields and answers carry what the programme needs."""

    code: Carriers = ("hidden.partner_code", "hidden.partner", "hidden.ref")
    email: Carriers = ("hidden.email", "field:email")
    """`field:NAME` is the answer whose field has that ref; the first answer of type e-mail counts
    when none of them is filled."""
    company_domain: Carriers = ("hidden.company_domain", "field:company_domain")
    anonymous_id: Carriers = ("hidden.anonymous_id",)
    utm_source: Carriers = ("hidden.utm_source",)
    utm_campaign: Carriers = ("hidden.utm_campaign",)


class TypeformSource(ApiSource):
    """Form responses from Typeform."""

    kind: Literal["typeform"]
    base_url: BaseUrl = "https://api.typeform.com"
    token_env: EnvironmentName = "TYPEFORM_TOKEN"
    streams: Annotated[tuple[Literal["responses"], ...], Field(min_length=1)] = ("responses",)
    forms: Annotated[Texts, Field(min_length=1)]
    overlap_hours: OverlapHours = 2
    """Responses of the last half hour can be missing from an answer."""
    sweep_days: Days = 30
    """All responses are read again after so many days: what was deleted becomes a tombstone. 0:
    never."""
    fields: TypeformFields = TypeformFields()


class CalendlyFields(Terms):
    """Where an invitee carries the partner's code."""

    code: Carriers = ("tracking.utm_content", "field:partner_code")


class CalendlySource(ApiSource):
    """Booked meetings from Calendly."""

    kind: Literal["calendly"]
    base_url: BaseUrl = "https://api.calendly.com"
    token_env: EnvironmentName = "CALENDLY_TOKEN"
    organization: Annotated[Text, Field(pattern=r"^https?://\S+/organizations/[A-Za-z0-9_-]+$")]
    """The organisation's address, https://api.calendly.com/organizations/…"""
    event_types: Texts = ()
    """Addresses of the event types that are demos; none named: all."""
    streams: Annotated[tuple[Literal["events", "invitees"], ...], Field(min_length=1)] = (
        "events",
        "invitees",
    )
    window_days_before: Days = 45
    window_days_after: Days = 90
    """Each pull reads meetings that start within so many days before and after it."""
    history_days: Days = 730
    """How far back the first pull reads."""
    held: Held = "when_ended"
    """Calendly does not say that a meeting took place: an active one that has ended, without a
    no-show mark, counts as held, or never does."""
    fields: CalendlyFields = CalendlyFields()

    @model_validator(mode="after")
    def _invitees_need_events(self) -> Self:
        if "invitees" in self.streams and "events" not in self.streams:
            raise ValueError("streams has no events, which invitees needs")
        return self


class GoogleCalendarFields(Terms):
    """Where an event carries the partner's code."""

    code: Carriers = (
        "extendedProperties.shared.partner_code",
        "extendedProperties.private.partner_code",
    )


class GoogleCalendarSource(ApiSource):
    """Booked meetings from Google Calendar."""

    kind: Literal["google_calendar"]
    base_url: BaseUrl = "https://www.googleapis.com/calendar/v3"
    token_env: EnvironmentName | None = None
    """Variable with an access token. Either this or service_account_env."""
    service_account_env: EnvironmentName | None = None
    """Variable with the path of a service account's key file."""
    delegate: Text | None = None
    """The user for whom the service account acts (domain-wide delegation)."""
    calendars: Annotated[Texts, Field(min_length=1)]
    streams: Annotated[tuple[Literal["events"], ...], Field(min_length=1)] = ("events",)
    own_domains: Texts = ()
    """E-mail domains of the company: its own people are no guests. The calendar's own domain
    always counts as one."""
    held: Held = "when_ended"
    fields: GoogleCalendarFields = GoogleCalendarFields()

    @model_validator(mode="after")
    def _has_one_way_in(self) -> Self:
        if (self.token_env is None) == (self.service_account_env is None):
            raise ValueError("name either token_env or service_account_env")
        if self.delegate is not None and self.service_account_env is None:
            raise ValueError("delegate needs service_account_env: only such an account has one")
        return self


class EcbSource(ApiSource):
    """Euro reference rates of the European Central Bank."""

    kind: Literal["ecb"]
    base_url: BaseUrl = "https://www.ecb.europa.eu/stats/eurofxref"
    streams: Annotated[tuple[Literal["rates"], ...], Field(min_length=1)] = ("rates",)
    history: bool = True
    """Read the whole history first; false: only the last 90 days."""


Source = (
    FilesSource
    | StripeSource
    | HubspotSource
    | TypeformSource
    | CalendlySource
    | GoogleCalendarSource
    | EcbSource
)

SOURCE_MODELS: dict[str, type[Terms]] = {
    "files": FilesSource,
    "stripe": StripeSource,
    "hubspot": HubspotSource,
    "typeform": TypeformSource,
    "calendly": CalendlySource,
    "google_calendar": GoogleCalendarSource,
    "ecb": EcbSource,
}


class Sources(Terms):
    """All connectors. The first ranks highest when two deliver the same money (F2)."""

    sources: Annotated[
        dict[SourceName, Annotated[Source, Field(discriminator="kind")]], Field(min_length=1)
    ]

    def rank_of(self, name: str) -> int:
        """1 for the source that ranks highest."""
        return list(self.sources).index(name) + 1
