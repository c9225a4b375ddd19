"""Which streams of the sources the money depends on: pure functions over dbt's manifest.

A stream blocks the money when a model that decides what is posted or proposed reads, however far
upstream, a relation that the stream fills; so does a stream that such a stream follows. What does
not belong here: pulling streams (`landing`), or what becomes of a night.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingest.run import DeclaredStream

StreamKey = tuple[str, str]
"""Source and stream."""

MONEY_MODELS = frozenset({"int_journal__differences", "exp_payout_candidates"})
"""What is posted, and what is proposed for payout."""


def money_relations(manifest: Mapping[str, Any]) -> set[str] | None:
    """Names of the raw relations that reach one of `MONEY_MODELS`.

    manifest: dbt's manifest.json. None when it lacks one of those models: nothing is known then.
    """
    nodes, sources = manifest["nodes"], manifest["sources"]
    left = [
        unique_id
        for unique_id, node in nodes.items()
        if node["resource_type"] == "model" and node["name"] in MONEY_MODELS
    ]
    if {nodes[unique_id]["name"] for unique_id in left} != MONEY_MODELS:
        return None
    seen: set[str] = set()
    while left:
        for parent in nodes.get(left.pop(), {}).get("depends_on", {}).get("nodes", []):
            if parent not in seen:
                seen.add(parent)
                left.append(parent)
    return {sources[unique_id]["name"] for unique_id in seen if unique_id in sources}


def blocking_streams(
    manifest: Mapping[str, Any], declared: Sequence[DeclaredStream]
) -> set[StreamKey]:
    """The declared streams without which nothing may be posted or proposed.

    All of them when the manifest does not tell: to stop too often is the safer mistake.
    """
    relations = money_relations(manifest)
    if relations is None:
        return {(each.source, each.stream) for each in declared}
    blocking = {
        (each.source, each.stream) for each in declared if not relations.isdisjoint(each.relations)
    }
    # A stream comes after those it needs, so one way back finds what needed ones need.
    for each in reversed(declared):
        if (each.source, each.stream) in blocking:
            blocking |= {(each.source, needed) for needed in each.needs}
    return blocking


def not_pulled(
    declared: Sequence[DeclaredStream], failed: Iterable[StreamKey], pulled: Iterable[StreamKey]
) -> dict[StreamKey, StreamKey]:
    """Streams that were left out because one that they need failed, each with that one.

    failed, pulled: of this night; a stream that was left out is in neither.
    """
    known, missing = set(pulled), dict.fromkeys(failed)
    left_out: dict[StreamKey, StreamKey] = {}
    for each in declared:
        key = (each.source, each.stream)
        for needed in ((each.source, name) for name in each.needs):
            if key not in known and needed in missing:
                left_out[key] = needed
                missing[key] = None
                break
    return left_out
