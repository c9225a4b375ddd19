"""Which landed events of Calendly call for a question about their invitees.

Belongs here: reading the rows of the stream `events`. Does not belong here: requests (`calendly`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ingest.landing import Landing
from ingest.objects import path_list
from ingest.staged import open_connection

ROLE = "rows:events"


def event_uris(
    landed: Sequence[Landing], bounds: Mapping[str, Any], event_types: Sequence[str]
) -> list[str]:
    """Addresses of events, in order: those whose newest version landed after `after_arrival`, and
    active ones that ended between `ended_from` and `ended_to`.

    landed: visible landings of events; those after `to_arrival` are not looked at, so that a pull
    which goes on after a kill finds the same. event_types: addresses; none means all.
    """
    parts = [
        path
        for each in landed
        if each.arrival <= bounds["to_arrival"]
        for path in each.part_paths(ROLE)
    ]
    if not parts:
        return []
    query = f"""
        with newest as (
            select
                object_id,
                max(_arrival) as arrival,
                max_by(payload, {{'arrival': _arrival, 'row': _row}}) as payload
            from read_parquet({path_list(parts)}, union_by_name = true)
            group by object_id
        )

        select object_id
        from newest
        where
            (
                arrival > $after_arrival
                or (
                    payload ->> '$.status' = 'active'
                    and try_cast(payload ->> '$.end_time' as timestamptz) between
                    cast($ended_from as timestamptz) and cast($ended_to as timestamptz)
                )
            )
            and (len($event_types) = 0 or list_contains($event_types, payload ->> '$.event_type'))
        order by object_id
    """
    asked = {name: bounds[name] for name in ("after_arrival", "ended_from", "ended_to")}
    with tempfile.TemporaryDirectory() as spill:
        connection = open_connection(Path(spill))
        try:
            found = connection.execute(query, {**asked, "event_types": list(event_types)})
            return [row[0] for row in found.fetchall()]
        finally:
            connection.close()
