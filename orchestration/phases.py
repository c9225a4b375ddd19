"""Which dbt nodes make up which phase of the night: pure functions over the manifest.

Phases follow the tags of dbt_project.yml: facts (before posting), ledger (after posting) and
payouts (after proposing). A test belongs to the latest phase of the models it reads, because only
then all of them exist. What does not belong here: running anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FACTS = "facts"
LEDGER = "ledger"
PAYOUTS = "payouts"
PHASES = (FACTS, LEDGER, PAYOUTS)
_BUILT_TYPES = {"model", "seed", "snapshot"}


def phase_of(manifest: Mapping[str, Any], unique_id: str) -> str | None:
    """Phase of a model or seed by its tag, of a test by its parents; None for sources."""
    node = manifest["nodes"].get(unique_id)
    if node is None:
        return None
    if node["resource_type"] in _BUILT_TYPES:
        # The latest tag wins where a folder refines its parent's.
        tagged = [phase for phase in PHASES if phase in node["tags"]]
        return tagged[-1] if tagged else None
    if node["resource_type"] == "test":
        parents = [phase_of(manifest, parent) for parent in node["depends_on"]["nodes"]]
        known = [PHASES.index(phase) for phase in parents if phase is not None]
        return PHASES[max(known)] if known else FACTS
    return None


def checked_node(manifest: Mapping[str, Any], test_id: str) -> str | None:
    """The model that a data test is shown on as an asset check.

    The model it is attached to, if that is built in the test's own phase; else the first model of
    that phase it reads. None for tests of sources alone.
    """
    test = manifest["nodes"][test_id]
    phase = phase_of(manifest, test_id)
    in_phase = [
        parent
        for parent in sorted(test["depends_on"]["nodes"])
        if phase_of(manifest, parent) == phase
    ]
    attached = test.get("attached_node")
    if attached in in_phase:
        return attached
    return in_phase[0] if in_phase else None


def selection_of(manifest: Mapping[str, Any], phase: str) -> list[str]:
    """dbt selection criteria of a phase, for use with cautious indirect selection.

    Cautious selection brings the tests that read models of this phase alone; tests that also read
    earlier phases or only sources are named.
    """
    criteria = [f"tag:{phase}"]
    for unique_id, node in sorted(manifest["nodes"].items()):
        if node["resource_type"] != "test" or phase_of(manifest, unique_id) != phase:
            continue
        if {phase_of(manifest, parent) for parent in node["depends_on"]["nodes"]} != {phase}:
            criteria.append(node["name"])
    return criteria


def exclusion_of(phase: str) -> list[str]:
    """dbt criteria to exclude from a phase: models that a later phase refines by its own tag."""
    return [f"tag:{later}" for later in PHASES[PHASES.index(phase) + 1 :]]


def phase_models(manifest: Mapping[str, Any], phase: str) -> list[str]:
    """Unique ids of the models and seeds built in a phase, sorted."""
    return sorted(
        unique_id
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] in _BUILT_TYPES and phase_of(manifest, unique_id) == phase
    )
