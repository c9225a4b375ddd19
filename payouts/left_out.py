"""Who a proposal left out, as it is hashed and proved.

What belongs here: hashes over partners that are left out, and what an event keeps of a proposal.
What does not: why somebody is left out (``selection``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from payouts.hashing import canonical_json, sha256_text

# In the payload of `batch_proposed`, and of an event of its own for a proposal that pays nobody.
# Proposals of earlier releases have neither and are proved by themselves alone.
PAYLOAD_KEY = "proposal"
EVENT_KIND = "partners_left_out"
_ROW = (
    "payout_id", "batch_id", "partner_id", "partner_name", "currency_code", "amount_minor",
    "entries", "entries_hash", "carried_amount_minor", "details_id", "payee_fingerprint",
    "left_out_reason",
)  # fmt: skip


def subject(proposal_id: str) -> str:
    """Subject of the event of a proposal that pays nobody."""
    return f"proposal:{proposal_id}"


def left_out_hash(rows: Iterable[tuple[str, int, str, str]]) -> str:
    """Hash over partner, net amount, hash of its entries and reason, in the order of partners."""
    return sha256_text(canonical_json([list(row) for row in rows]))


def proposal_record(
    proposal_id: str, hash_of_left_out: str, rows: Iterable[Mapping[str, Any]]
) -> dict[str, str]:
    """What an event keeps of a proposal. rows: its stored rows of ``payout_items`` left out."""
    return {
        "proposal_id": proposal_id,
        "left_out_hash": hash_of_left_out,
        "left_out_rows_sha256": rows_sha256(rows),
    }


def rows_sha256(rows: Iterable[Mapping[str, Any]]) -> str:
    """Hash over everything that is stored of who is left out."""
    ordered = sorted(rows, key=lambda row: row["partner_id"])
    return sha256_text(canonical_json([[row[name] for name in _ROW] for row in ordered]))
