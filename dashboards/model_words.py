"""What each attribution model does, a sentence each, with the settings of the terms (A3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from dashboards.lead_view import exact_percent

if TYPE_CHECKING:
    from program.schema_lead import AttributionVersion


def version_in_force(versions: tuple[AttributionVersion, ...], day: date) -> AttributionVersion:
    """The newest version that is in force on a day; before the first, the first."""
    ordered = sorted(versions, key=lambda each: each.effective_from)
    passed = [each for each in ordered if each.effective_from <= day]
    return passed[-1] if passed else ordered[0]


def model_sentences(version: AttributionVersion) -> Mapping[str, str]:
    """Model to sentence."""
    shares = version.position_based
    return {
        "last_touch": "The last touch that competes before the lead became valid has all credit.",
        "first_touch": "The first touch that competes has all credit.",
        "linear": "All touches that compete share the credit equally.",
        "position_based": (
            f"The first touch that competes has {exact_percent(shares.first)} and the last "
            f"{exact_percent(shares.last)}; those between share the rest, two have half each."
        ),
        "time_decay": (
            "All touches that compete share the credit; one that is "
            f"{version.time_decay.half_life_days} days older counts half."
        ),
        "recomputed": "The paying model over today's facts, without pins and rulings.",
    }
