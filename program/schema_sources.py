"""Connectors of `sources.yml`, in order of rank (F2). Holds names of secrets, never secrets."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StrictInt, StrictStr

from program.schema_base import Terms, Text, Texts

STRIPE_STREAMS = ("customers", "subscriptions", "invoices", "charges", "refunds")
StripeStream = Literal["customers", "subscriptions", "invoices", "charges", "refunds"]

STRIPE_API_VERSION = "2025-02-24.acacia"
"""The last version in which a charge names its invoice. From `2025-03-31.basil` on only
`invoice_payments` links a refund to its invoice (Stripe changelog), which is not a stream here."""


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


def _field_path(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", value):
        raise ValueError("must be names joined by points, such as metadata.partner_code")
    return value


EnvironmentName = Annotated[StrictStr, AfterValidator(_environment_name)]
SourceName = Annotated[StrictStr, AfterValidator(_source_name)]
BaseUrl = Annotated[StrictStr, AfterValidator(_base_url)]
FieldPath = Annotated[StrictStr, AfterValidator(_field_path)]
OverlapHours = Annotated[StrictInt, Field(ge=0, le=24 * 31)]
TimeoutSeconds = Annotated[StrictInt, Field(ge=1, le=600)]


class FilesSource(Terms):
    """A folder of CSV, NDJSON or Parquet files, one entity per file name."""

    kind: Literal["files"]
    path: Text = "drop"
    """The folder, relative to the workspace unless absolute."""


class StripeFields(Terms):
    """Where Stripe's objects carry what the programme needs."""

    code: FieldPath = "metadata.partner_code"
    """Path inside the object to the partner's code."""


class StripeSource(Terms):
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
    overlap_hours: OverlapHours = 1
    """How far a pull reaches back before the last one: events can appear late."""
    timeout_seconds: TimeoutSeconds = 30
    fields: StripeFields = StripeFields()


class OtherSource(Terms):
    """Settings that all connectors share. Subclasses name the vendor."""

    base_url: BaseUrl | None = None
    api_key_env: EnvironmentName | None = None
    token_env: EnvironmentName | None = None
    api_version: Text | None = None
    streams: Texts = ()
    overlap_hours: OverlapHours = 1
    timeout_seconds: TimeoutSeconds = 30
    fields: dict[Text, FieldPath] = {}


class HubspotSource(OtherSource):
    """CRM records from HubSpot."""

    kind: Literal["hubspot"]


class TypeformSource(OtherSource):
    """Form responses from Typeform."""

    kind: Literal["typeform"]
    forms: Texts = ()


class CalendlySource(OtherSource):
    """Booked meetings from Calendly."""

    kind: Literal["calendly"]
    organization: Text | None = None


class GoogleCalendarSource(OtherSource):
    """Booked meetings from Google Calendar."""

    kind: Literal["google_calendar"]
    calendars: Texts = ()


class EcbSource(OtherSource):
    """Euro reference rates of the European Central Bank."""

    kind: Literal["ecb"]


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
