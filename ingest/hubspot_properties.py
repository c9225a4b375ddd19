"""Which properties of HubSpot's records are asked for.

Belongs here: what the models read, what `fields` maps, what the settings add. Does not belong
here: requests; meaning (the dbt project).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ingest.errors import PermanentSourceError

MERGED = "hs_merged_object_ids"
PROPERTIES = {
    "contacts": (
        "email",
        "createdate",
        "lastmodifieddate",
        "associatedcompanyid",
        "hubspot_owner_id",
        MERGED,
        "hs_calculated_merged_vids",
    ),
    "companies": ("domain", "name", "createdate", "hs_lastmodifieddate", MERGED),
    "deals": (
        "dealstage",
        "amount",
        "deal_currency_code",
        "createdate",
        "closedate",
        "hs_is_closed",
        "hs_is_closed_won",
        "hubspot_owner_id",
        "hs_lastmodifieddate",
        MERGED,
    ),
    "meetings": (
        "hs_timestamp",
        "hs_meeting_start_time",
        "hs_meeting_end_time",
        "hs_meeting_outcome",
        "hs_createdate",
        "hs_lastmodifieddate",
    ),
}
"""What the models read, by type of record. HubSpot leaves out those that a type does not have."""

MAPPED_FIELDS = {"contacts": "contact_code", "deals": "deal_code"}
LIST_ADDRESS_LENGTH = 14_000
"""HubSpot refuses addresses of about 16,000 characters (414); host, path and cursor need room."""


def properties_of(object_type: str, settings: Any) -> list[str]:
    """Names of the properties to ask for, the same ones in the same order for the same settings.

    Raises: PermanentSourceError if they do not fit into an address.
    """
    carriers = getattr(settings.fields, MAPPED_FIELDS.get(object_type, ""), ())
    mapped = [each.split(".")[1] for each in carriers if each.startswith("properties.")]
    added = settings.properties.get(object_type, ())
    names = list(dict.fromkeys((*PROPERTIES[object_type], *mapped, *added)))
    length = len(quote(",".join(names), safe=""))
    if length > LIST_ADDRESS_LENGTH:
        raise PermanentSourceError(
            f"{object_type}: {len(names)} properties make an address of {length} "
            f"characters, HubSpot takes {LIST_ADDRESS_LENGTH}",
            f"Name fewer of them in properties.{object_type} of the source in sources.yml.",
        )
    return names
