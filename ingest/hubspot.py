"""Pull CRM records from HubSpot, on its date-versioned API.

Belongs here: the streams in their order, and the client. Does not belong here: what each of them
asks for (`hubspot_lists`, `hubspot_objects`, `hubspot_associations`, `hubspot_forms`).
Source: sources.md section 4.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ingest.connectors import Connector, chosen, token_client
from ingest.http import HttpClient
from ingest.hubspot_api import is_day_spent
from ingest.hubspot_associations import AssociationStream
from ingest.hubspot_forms import FormStream
from ingest.hubspot_lists import OWNERS, PIPELINES
from ingest.hubspot_objects import ObjectStream
from ingest.pull import Stream

STREAMS: tuple[Stream, ...] = (
    PIPELINES,
    OWNERS,
    ObjectStream("contacts", "lastmodifieddate", "crm.objects.contacts.read"),
    ObjectStream("companies", "hs_lastmodifieddate", "crm.objects.companies.read"),
    ObjectStream("deals", "hs_lastmodifieddate", "crm.objects.deals.read"),
    ObjectStream("meetings", "hs_lastmodifieddate", "crm.objects.meetings.read"),
    AssociationStream(),
    FormStream(),
)


def streams(settings: Any) -> list[Stream]:
    """The streams that the settings choose, in order."""
    return chosen(STREAMS, settings)


def open_client(source: str, settings: Any, pause: Callable[[float], None]) -> HttpClient:
    """The client of the source. Raises: PermanentSourceError without a usable token."""
    return token_client(source, settings, pause, is_day_spent=is_day_spent)


CONNECTOR = Connector(streams, open_client)
